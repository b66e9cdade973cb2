import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { repeat } from './repeat.ts';

/** A server that is reached over TLS from its first byte, or a certificate of our own (PEM). */
type WatchedCertificate = { name: string } & ({ host: string; port: number } | { pem: string | Buffer });

const probeTimeoutMs = 5_000;

/**
 * Keeps `tls_certificate_expiry_timestamp_seconds` for every certificate that the connections depend on: asked of the
 * servers every `everyMs` (default an hour). One that cannot be had keeps its last value.
 */
export function watchCertificates(deps: {
  certificates: readonly WatchedCertificate[];
  metrics: Pick<Metrics, 'certificateExpiry'>;
  logger: Logger;
  everyMs?: number;
}): { close(): Promise<void> } {
  const { certificates, metrics, logger, everyMs = 3_600_000 } = deps;

  async function look(certificate: WatchedCertificate): Promise<void> {
    const { name } = certificate;
    try {
      const endsAtMs = 'pem' in certificate ? endOf(certificate.pem) : await endOfServer(certificate);
      metrics.certificateExpiry.set({ certificate: name }, endsAtMs / 1_000);
    } catch (error) {
      logger.warn({ err: error, certificate: name }, 'a certificate could not be looked at');
    }
  }

  return repeat({
    everyMs,
    work: async () => void (await Promise.all(certificates.map(look))),
    onError: () => {},
  });
}

const endOf = (pem: string | Buffer): number => Date.parse(new X509Certificate(pem).validTo);

/** Whether the certificate is trusted is the connection's business: here only its end is read. */
function endOfServer({ host, port }: { host: string; port: number }): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const socket = connect({ host, port, servername: host, rejectUnauthorized: false }, () => {
    resolve(Date.parse(socket.getPeerCertificate().valid_to));
    socket.destroy();
  });
  socket.setTimeout(probeTimeoutMs, () => {
    reject(new Error(`${host}:${port} has shown no certificate within ${probeTimeoutMs} ms`));
    socket.destroy();
  });
  socket.on('error', reject);
  return promise;
}

/**
 * What the worker reaches over TLS: the broker (`amqps`), Redis (`rediss`), Temporal where it has TLS, and the client
 * certificate that this process shows it. SQL Server begins its TLS inside its own protocol and cannot be asked like this.
 */
export function certificatesOf(settings: {
  AMQP_URL: string;
  REDIS_URL: string;
  temporal: Pick<NativeConnectionOptions, 'address' | 'tls'>;
}): WatchedCertificate[] {
  const { AMQP_URL, REDIS_URL, temporal } = settings;
  const [host = 'localhost', port = '7233'] = (temporal.address ?? '').split(/:(?=\d+$)/);
  const { clientCertPair } = typeof temporal.tls === 'object' && temporal.tls ? temporal.tls : {};
  return [
    ...serverOf('rabbitmq', AMQP_URL, { scheme: 'amqps:', port: 5671 }),
    ...serverOf('redis', REDIS_URL, { scheme: 'rediss:', port: 6379 }),
    ...(temporal.tls ? [{ name: 'temporal', host, port: Number(port) }] : []),
    ...(clientCertPair ? [{ name: 'temporal-client', pem: clientCertPair.crt as Buffer }] : []),
  ];
}

function serverOf(name: string, url: string, tls: { scheme: string; port: number }): WatchedCertificate[] {
  const { protocol, hostname, port } = new URL(url);
  return protocol === tls.scheme ? [{ name, host: hostname, port: Number(port || tls.port) }] : [];
}
