import { connect } from 'amqplib';

const CONNECT_TIMEOUT_MS = 5_000;

/** Connects once and asks for the broker's version; proves that it answers. */
export async function brokerVersion(url: string): Promise<string> {
  const connection = await connect(url, { timeout: CONNECT_TIMEOUT_MS });
  connection.on('error', () => {});
  const version = String(connection.connection.serverProperties['version'] ?? 'unknown');
  await connection.close();
  return version;
}

/** Fails unless the management API answers for the user in its address. */
export async function managementAnswers(managementUrl: string): Promise<void> {
  const { origin, username, password } = new URL(managementUrl);
  const authorization = `Basic ${btoa(`${username}:${password}`)}`;
  const response = await fetch(`${origin}/api/overview`, { headers: { authorization } });
  if (!response.ok) throw new Error(`the management API answers ${response.status}`);
}
