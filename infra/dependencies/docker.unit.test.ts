import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LaunchContext } from './dependency.ts';
import { dockerCandidate } from './docker.ts';

describe('services from Docker', () => {
  let folder: string;
  const log = () =>
    readFileSync(join(folder, 'log'), 'utf8')
      .replaceAll(/-f \S+/g, '-f FILE')
      .trim()
      .split('\n');
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-docker-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A `docker` that notes how it is called and answers like one with or without an engine. */
  function candidate(engineAnswers: boolean) {
    const file = join(folder, 'docker');
    writeFileSync(
      file,
      `#!/bin/sh\necho "$@" >> ${folder}/log\n[ "$1" != info ] || exit ${engineAnswers ? 0 : 1}\n`,
    );
    chmodSync(file, 0o755);
    const context: LaunchContext = {
      env: { PATH: `${folder}${delimiter}${process.env['PATH']}` },
      folder,
      keepsData: false,
      takePort: async () => 1,
      say: () => {},
      useConfigured: false,
      installWithSudo: false,
    };
    const services = ['temporal-ui', 'temporal'] as const;
    return dockerCandidate({
      name: 'Temporal',
      services,
      context,
      addresses: {},
      version: async () => '1.29.1',
    });
  }

  test('are passed over when no engine answers', async () => {
    await expect(candidate(false).start()).rejects.toThrow('no Docker engine answers');
    expect(log()).toEqual(['info --format {{.ServerVersion}}']);
  });

  test('are brought up, waited for and all stopped again', async () => {
    const dependency = await candidate(true).start();
    expect(dependency).toMatchObject({ source: 'docker', version: '1.29.1' });
    await dependency.stop();
    expect(log().slice(1)).toEqual([
      'compose -f FILE up --detach --wait temporal-ui',
      'compose -f FILE stop temporal-ui temporal',
    ]);
  });
});
