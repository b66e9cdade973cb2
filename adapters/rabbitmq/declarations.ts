import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelModel } from 'amqplib';
import type { Topology } from '../../ports/broker.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { declareTopology } from './declare-topology.ts';

/** What a connection declares: the topology it was opened with, and the parts that came later. */
export interface Declarations {
  /** Declares everything. Rejects when the base cannot be declared; a part that cannot is logged and left out. */
  all(on: ChannelModel): Promise<void>;
  /** Declares a part on the present connection or the next one, and from then on with everything. */
  add(part: Topology, connection: () => Promise<ChannelModel>): Promise<void>;
  topology(): Topology;
}

const againMs = 100;

export function createDeclarations(input: {
  base: Topology;
  within: <T>(work: Promise<T>, what: string) => Promise<T>;
  logger: Logger;
}): Declarations {
  const { base, within, logger } = input;
  let parts: Topology[] = [];

  /** On a channel of its own: the broker closes it when something stands with other arguments. */
  async function declare(on: ChannelModel, topology: Topology): Promise<void> {
    const channel = await within(on.createChannel(), 'opening a channel');
    channel.on('error', () => {});
    await within(declareTopology(channel, topology), 'declaring the topology');
    await within(channel.close(), 'closing a channel');
  }

  return {
    async all(on) {
      await declare(on, base);
      for (const part of parts) {
        await declare(on, part).catch((error: unknown) => {
          if (!isBrokersAnswer(error)) throw error;
          logger.error({ err: error, queues: namesOf(part) }, 'a part of the topology cannot be declared');
        });
      }
    },
    async add(part, connection) {
      for (;;) {
        const on = await connection();
        try {
          await declare(on, part);
          parts = [...parts.filter((other) => !sharesQueue(other, part)), part];
          return;
        } catch (error) {
          if (isBrokersAnswer(error)) throw refusal(part, error);
          logger.warn({ err: error, queues: namesOf(part) }, 'a declaration was cut off; trying again');
          await sleep(againMs);
        }
      }
    },
    topology: () => ({
      exchanges: [base, ...parts].flatMap(({ exchanges }) => exchanges),
      queues: [base, ...parts].flatMap(({ queues }) => queues),
      bindings: [base, ...parts].flatMap(({ bindings }) => bindings),
    }),
  };
}

const namesOf = (part: Topology): string[] => part.queues.map(({ name }) => name);

const sharesQueue = (one: Topology, other: Topology): boolean =>
  one.queues.some(({ name }) => namesOf(other).includes(name));

/** 403 access refused, 404 not found, 405 locked, 406 other arguments: asking again changes nothing. */
const isBrokersAnswer = (error: unknown): error is Error =>
  [403, 404, 405, 406].includes((error as { code?: number }).code ?? 0);

const refusal = (part: Topology, error: Error): Error =>
  new Error(
    `RabbitMQ refused to declare ${namesOf(part).join(', ')}: ${error.message}. Where a queue stands with other ` +
      `arguments, give the subscription a new name, or drain and delete the queue first.`,
    { cause: error },
  );
