import { pino, type Logger } from 'pino';

export type { Logger };

/**
 * JSON lines on stdout; readable lines when a terminal is attached or LOG_PRETTY=1. Never give it personal data:
 * the keys below are removed where they slip through.
 */
export function createLogger(input: { process: string; level: string }): Logger {
  const pretty = process.stdout.isTTY || process.env['LOG_PRETTY'] === '1';
  return pino({
    level: input.level,
    base: { process: input.process },
    redact: {
      paths: [
        'email',
        'customerEmail',
        'address',
        'shippingAddress',
        '*.email',
        '*.customerEmail',
        '*.shippingAddress',
      ],
      remove: true,
    },
    ...(pretty
      ? {
          transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname,process', singleLine: true } },
        }
      : {}),
  });
}
