import { describe, expect, test } from 'vitest';
import {
  type Candidate,
  createNotHere,
  firstThatWorks,
  type LaunchContext,
  type Source,
} from './dependency.ts';
import { alertmanagerCandidates } from './alertmanager.ts';
import { prometheusCandidates } from './prometheus.ts';
import { rabbitmqCandidates } from './rabbitmq.ts';
import { redisCandidates } from './redis.ts';
import { temporalCandidates } from './temporal.ts';

type Behavior = 'works' | 'not here' | 'fails';

const context: LaunchContext = {
  env: {},
  folder: '/nowhere',
  keepsData: false,
  takePort: async () => 1,
  say: () => {},
  useConfigured: true,
  installWithSudo: false,
};

function candidate(source: Source, behavior: Behavior, started: Source[]): Candidate<string> {
  return {
    source,
    start: async () => {
      started.push(source);
      if (behavior === 'not here') throw createNotHere(`no ${source}`);
      if (behavior === 'fails') throw new Error(`${source} is broken`);
      return { name: 'Thing', source, version: '1', addresses: source, stop: async () => {} };
    },
  };
}

async function decide(behaviors: Partial<Record<Source, Behavior>>) {
  const started: Source[] = [];
  const said: string[] = [];
  const candidates = Object.entries(behaviors).map(([source, behavior]) =>
    candidate(source as Source, behavior, started),
  );
  const plan = {
    name: 'Thing',
    candidates,
    installCommand: 'apt-get install thing',
    say: (line: string) => said.push(line),
  };
  const outcome = await firstThatWorks(plan).then(
    ({ source }) => source as string,
    (error: Error) => error.message,
  );
  return { outcome, started, said };
}

describe('the first that works', () => {
  test('is the configured address when it answers, and nothing else is touched', async () => {
    const { outcome, started } = await decide({ configured: 'works', path: 'works' });
    expect(outcome).toBe('configured');
    expect(started).toEqual(['configured']);
  });

  test.each<[string, Partial<Record<Source, Behavior>>, Source]>([
    ['a binary on PATH', { configured: 'not here', path: 'works', cache: 'works' }, 'path'],
    ['what an earlier start built', { configured: 'not here', path: 'not here', cache: 'works' }, 'cache'],
    [
      'a download',
      { path: 'not here', cache: 'not here', download: 'works', 'go install': 'works' },
      'download',
    ],
    ['a build, when the network is closed', { download: 'fails', 'go install': 'works' }, 'go install'],
    [
      'the package manager',
      { path: 'not here', 'package manager': 'works', docker: 'works' },
      'package manager',
    ],
    [
      'Docker, when nothing may be installed',
      { path: 'not here', 'package manager': 'not here', docker: 'works' },
      'docker',
    ],
  ])('is %s', async (_title, behaviors, expected) => {
    expect((await decide(behaviors)).outcome).toBe(expected);
  });

  test('says so when something that is there does not work, and goes on', async () => {
    const { outcome, said } = await decide({ path: 'fails', docker: 'works' });
    expect(outcome).toBe('docker');
    expect(said).toEqual(['Thing: the program on PATH does not work, looking further: path is broken']);
  });

  test('is never another one than the configured address', async () => {
    const { outcome, started } = await decide({ configured: 'fails', path: 'works' });
    expect(outcome).toBe('Thing: the configured address cannot be used: configured is broken');
    expect(started).toEqual(['configured']);
  });

  test('passes over what the machine does not have without a word', async () => {
    expect((await decide({ configured: 'not here', path: 'works' })).said).toEqual([]);
  });

  test('when none works, the error names the dependency, every reason and the command that would install it', async () => {
    const { outcome } = await decide({ path: 'not here', docker: 'fails' });
    expect(outcome).toBe(
      [
        'No Thing could be found or started.',
        '  path: no path',
        '  docker: docker is broken',
        'To install it: apt-get install thing',
      ].join('\n'),
    );
  });
});

describe('the order of looking', () => {
  const sources = (candidates: readonly Candidate<unknown>[]) => candidates.map(({ source }) => source);
  const metrics = { api: '', worker: '', relay: '', sandbox: '', rabbitmq: '', temporal: '' };

  test('for Temporal: address, PATH, earlier start, download, build, Docker', () => {
    expect(sources(temporalCandidates(context))).toEqual([
      'configured',
      'path',
      'cache',
      'download',
      'go install',
      'docker',
    ]);
  });

  test.each([
    ['Redis', redisCandidates(context)],
    ['RabbitMQ', rabbitmqCandidates(context)],
  ])('for %s: address, PATH, package manager, Docker', (_name, candidates) => {
    expect(sources(candidates)).toEqual(['configured', 'path', 'package manager', 'docker']);
  });

  test('for Prometheus and Alertmanager: address, PATH, package manager', () => {
    const expected = ['configured', 'path', 'package manager'];
    expect(sources(prometheusCandidates(context, { metrics }))).toEqual(expected);
    expect(sources(alertmanagerCandidates(context))).toEqual(expected);
  });

  test('a configured address is passed over where it is not asked for', async () => {
    const env = {
      REDIS_URL: 'redis://127.0.0.1:1',
      AMQP_URL: 'amqp://127.0.0.1:1',
      TEMPORAL_ADDRESS: '127.0.0.1:1',
    };
    const privately = { ...context, env, useConfigured: false };
    for (const candidates of [
      redisCandidates(privately),
      rabbitmqCandidates(privately),
      temporalCandidates(privately),
    ]) {
      await expect(candidates[0]?.start()).rejects.toThrow(/not set|not asked for/);
    }
  });
});
