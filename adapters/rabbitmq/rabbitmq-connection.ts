import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ChannelModel } from 'amqplib';
import type { Broker, PublishAnswer, Topology } from '../../ports/broker.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { createDeclarations } from './declarations.ts';
import { createPublishSession, type PublishSession } from './publish-session.ts';
import type { WireMessage } from './wire-message.ts';
import { withTimeout } from './with-timeout.ts';

export interface RabbitmqOptions {
  /** `amqp://user:password@host:port/vhost`; a heartbeat of 10 s is added where it has none. */
  url: string;
  /** Declared after every connect and whenever a channel had to be opened again. */
  topology: Topology;
  logger: Logger;
  /** RabbitMQ's management API with user and password; asked for dead-letter queues that others declared. */
  managementUrl?: string | undefined;
  /** A message without the broker's confirm for so long is answered `unavailable`. Default 5 s. */
  confirmTimeoutMs?: number;
  /** For opening a connection or channel, declaring and closing. Default 5 s. */
  operationTimeoutMs?: number;
  /** Upper bound of the pause between two attempts to connect. Default 2 s. */
  maximumReconnectDelayMs?: number;
}

/** One connection that comes back by itself, its topology and its confirm channel. */
export interface RabbitmqConnection {
  /** The present connection, or the next one; rejects when this was closed. */
  model(): Promise<ChannelModel>;
  /** Publishes on the present confirm channel; `unavailable` when there is none. */
  send(message: WireMessage): Promise<PublishAnswer>;
  /** Declares what somebody deleted. */
  redeclare(model: ChannelModel): Promise<void>;
  /** Adds a part to the topology once it stands; see Broker. */
  declare(part: Topology): Promise<void>;
  /** Everything that is declared here, parts included. */
  topology(): Topology;
  /** Declares the topology again, one at a time; false when that is not possible now. */
  mend(): Promise<boolean>;
  state: Broker['state'];
  close(): Promise<void>;
}

const heartbeatSeconds = 10;
const reopenMs = 100;

/** Resolves at once; connects and reconnects in the background for ever. */
export async function openRabbitmqConnection(options: RabbitmqOptions): Promise<RabbitmqConnection> {
  const { logger, confirmTimeoutMs = 5_000, operationTimeoutMs = 5_000 } = options;
  let model: ChannelModel | undefined;
  let session: PublishSession | undefined;
  let usable = unsettled<ChannelModel>();
  let usableModel: ChannelModel | undefined;
  let blocked: string | undefined;
  let mending: Promise<boolean> | undefined;
  let reopening = false;
  let closed = false;
  let lastFailure = '';

  const within = <T>(work: Promise<T>, what: string) => withTimeout(work, operationTimeoutMs, what);

  const declarations = createDeclarations({ base: options.topology, within, logger });

  /** Channels do not survive their connection: everything is opened anew after each connect. */
  async function setup(fresh: ChannelModel): Promise<void> {
    model = fresh;
    fresh.on('error', () => {});
    fresh.on('close', () => lost(fresh));
    fresh.on('blocked', noteBlocked);
    fresh.on('unblocked', () => noteBlocked(undefined));
    try {
      await openSession(fresh);
      // amqplib notices a lost connection only from here on.
      if (model !== fresh) throw new Error('the connection was lost while it was set up');
    } catch (error) {
      await breakOff(fresh);
      throw error;
    }
    lastFailure = '';
    usableModel = fresh;
    usable.resolve(fresh);
    logger.info('connected to RabbitMQ');
  }

  async function openSession(on: ChannelModel): Promise<void> {
    await declarations.all(on);
    const channel = await within(on.createConfirmChannel(), 'opening a channel');
    const opened = createPublishSession({ channel, confirmTimeoutMs, onStuck: () => recycle(opened) });
    channel.on('error', (error: Error) =>
      logger.warn({ err: error }, 'RabbitMQ closed the publishing channel'),
    );
    channel.on('close', () => void reopen(on, opened));
    session = opened;
  }

  /** A channel error leaves the connection standing, and nobody but us notices. */
  async function reopen(on: ChannelModel, ended: PublishSession): Promise<void> {
    if (session === ended) session = undefined;
    if (reopening) return;
    reopening = true;
    try {
      await sleep(reopenMs);
      if (!closed && model === on && session === undefined) await openSession(on);
    } catch (error) {
      logger.warn({ err: error }, 'the publishing channel could not be opened again');
      await breakOff(on);
    } finally {
      reopening = false;
    }
  }

  /** No confirm came in time. Under an alarm that is the broker's right; otherwise the channel is not worth keeping. */
  function recycle(stuck: PublishSession): void {
    if (blocked !== undefined || session !== stuck || model === undefined) return;
    logger.warn({ confirmTimeoutMs }, 'RabbitMQ does not confirm; opening another channel');
    stuck.end('the broker did not confirm in time');
    void reopen(model, stuck);
  }

  /**
   * Ends the connection without asking the other side, which may have stopped answering: amqplib's own close() waits
   * for an answer without limit, and its recovery waits for that close().
   */
  async function breakOff(from: ChannelModel): Promise<void> {
    if (model !== from) return;
    const gone = once(from, 'close', { signal: AbortSignal.timeout(operationTimeoutMs) });
    (from.connection as unknown as { stream: Duplex }).stream.destroy(new Error('connection given up'));
    await gone.catch(() => {});
  }

  function lost(from: ChannelModel): void {
    if (model !== from) return;
    model = undefined;
    blocked = undefined;
    session?.end('the connection was lost');
    session = undefined;
    if (usableModel === from) usable = unsettled();
  }

  function noteBlocked(reason: string | undefined): void {
    blocked = reason;
    const text = reason === undefined ? 'RabbitMQ takes messages again' : 'RabbitMQ takes no messages';
    logger.warn({ reason }, text);
  }

  function noteFailure(error: Error): void {
    if (error.message === lastFailure || closed) return;
    lastFailure = error.message;
    logger.warn(
      { reason: error.message, setting: 'AMQP_URL' },
      'not ready: no connection to the RabbitMQ that AMQP_URL names; trying again',
    );
  }

  async function send(message: WireMessage): Promise<PublishAnswer> {
    if (session === undefined) return { status: 'unavailable', reason: lastFailure || 'not connected' };
    if (blocked !== undefined) return { status: 'unavailable', reason: `the broker is blocked: ${blocked}` };
    return session.send(message);
  }

  async function declareAgain(): Promise<boolean> {
    try {
      if (model === undefined) return false;
      await declarations.all(model);
      return true;
    } catch (error) {
      logger.warn({ err: error }, 'the topology could not be declared again');
      return false;
    } finally {
      mending = undefined;
    }
  }

  const connection = await connect(withHeartbeat(options.url), {
    timeout: operationTimeoutMs,
    noDelay: true,
    recovery: {
      waitForConnect: false,
      initialDelay: 100,
      maxDelay: options.maximumReconnectDelayMs ?? 2_000,
      setup,
    },
  });
  for (const event of ['error', 'connect-failed', 'disconnect']) connection.on(event, noteFailure);

  return {
    model: () => usable.promise,
    send,
    redeclare: declarations.all,
    declare: (part) => declarations.add(part, () => usable.promise),
    topology: declarations.topology,
    mend: () => (mending ??= declareAgain()),
    state: () => (session === undefined ? 'disconnected' : blocked === undefined ? 'connected' : 'blocked'),
    async close() {
      closed = true;
      const last = model;
      await within(connection.close(), 'closing the connection').catch(() => last && breakOff(last));
      usable.reject(new Error('the connection was closed'));
    },
  };
}

/** A promise to settle later that nobody has to wait for. */
function unsettled<T>(): PromiseWithResolvers<T> {
  const later = Promise.withResolvers<T>();
  later.promise.catch(() => {});
  return later;
}

function withHeartbeat(text: string): string {
  const url = new URL(text);
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(heartbeatSeconds));
  return url.href;
}
