import { fileURLToPath } from 'node:url';

export type ApplicationPorts = {
  api: number;
  worker: number;
  relay: number;
  sandbox: number;
  smtp: number;
};

export type EnvironmentInput = {
  /** The environment of the person who starts: what is set there wins. */
  user: NodeJS.ProcessEnv;
  ports: ApplicationPorts;
  dataFolder: string;
  /** Key of the customers' HMAC, kept with the data. */
  customerHashKey: string;
  /** Encrypts the webhook secrets, kept with the data. */
  webhookSecretKey: string;
  temporal: { address: string; namespace: string; isPrivate: boolean };
  redisUrl: string;
  amqpUrl: string;
  rabbitmqManagementUrl: string;
};

const SANDBOX_STRIPE_KEY = 'sk_test_sandbox';
const SANDBOX_STRIPE_WEBHOOK_SECRET = 'whsec_sandbox';
const SANDBOX_EASYPOST_KEY = 'EZTK_sandbox';

/**
 * The environment of API, worker, relay and sandbox. Providers whose key the person has set are the real ones: their address is left alone.
 * Everything else that is not set points at the private servers and at the sandbox.
 */
export function applicationEnvironment(input: EnvironmentInput): NodeJS.ProcessEnv {
  const { user, ports, dataFolder } = input;
  const sandbox = `http://127.0.0.1:${ports.sandbox}`;
  const ours: NodeJS.ProcessEnv = {
    API_HOST: '127.0.0.1',
    PUBLIC_API_URL: `http://127.0.0.1:${ports.api}`,
    ANALYTICS_SINK: `ndjson:${dataFolder}/analytics`,
    SQL_URL: `sqlite:${dataFolder}/order-saga.sqlite`,
    SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
    MAIL_FROM: 'Order Saga <orders@order-saga.example>',
    CUSTOMER_HASH_KEY: input.customerHashKey,
    WEBHOOK_SECRET_KEY: input.webhookSecretKey,
    // The sandbox's partners: POST /partner/<name>.
    WEBHOOK_ALLOW_PRIVATE: '127.0.0.1/32',
    STRIPE_SECRET_KEY: SANDBOX_STRIPE_KEY,
    STRIPE_WEBHOOK_SECRET: SANDBOX_STRIPE_WEBHOOK_SECRET,
    EASYPOST_API_KEY: SANDBOX_EASYPOST_KEY,
    ...(user['STRIPE_SECRET_KEY'] ? {} : { STRIPE_API_BASE: sandbox }),
    ...(user['EASYPOST_API_KEY'] ? {} : { EASYPOST_API_BASE: sandbox }),
    RABBITMQ_MANAGEMENT_URL: input.rabbitmqManagementUrl,
    SANDBOX_DATA: `${dataFolder}/sandbox`,
    SANDBOX_WEBHOOK_TARGET: `http://127.0.0.1:${ports.api}/webhooks/stripe`,
  };
  const set = presentOnly(temporalEnvironment(input));
  return {
    ...ours,
    ...formerKeys(set, input.customerHashKey),
    ...set,
    // Chosen by the launcher after it has looked at what the person set.
    REDIS_URL: input.redisUrl,
    AMQP_URL: input.amqpUrl,
    API_PORT: String(ports.api),
    WORKER_PORT: String(ports.worker),
    RELAY_PORT: String(ports.relay),
    SANDBOX_PORT: String(ports.sandbox),
    SANDBOX_SMTP_PORT: String(ports.smtp),
  };
}

/** Who sets a key of their own goes on finding the orders of the key that was kept with the data until then. */
function formerKeys(set: NodeJS.ProcessEnv, keptKey: string): NodeJS.ProcessEnv {
  const own = set['CUSTOMER_HASH_KEY'];
  return own === undefined || own === keptKey ? {} : { CUSTOMER_HASH_FORMER_KEYS: keptKey };
}

/** The person's environment with the settings of Temporal's private server in place of theirs, or all of theirs for a configured one. */
function temporalEnvironment({ user, temporal }: EnvironmentInput): NodeJS.ProcessEnv {
  if (!temporal.isPrivate) return user;
  const withoutTemporal = Object.entries(user).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return {
    ...Object.fromEntries(withoutTemporal),
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    // A profile in the person's own configuration file could bring an API key or TLS that this server does not speak.
    TEMPORAL_CONFIG_FILE: fileURLToPath(new URL('dependencies/no-profile.toml', import.meta.url)),
  };
}

function presentOnly(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
}
