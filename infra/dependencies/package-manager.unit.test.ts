import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installCommandFor, installPrefix } from './package-manager.ts';

describe('who may install system packages', () => {
  const apt = { asRoot: true };
  const brew = { asRoot: false };

  test.each([
    ['root, by itself', { manager: apt, isRoot: true, installWithSudo: false }, []],
    ['a user with --install, through sudo', { manager: apt, isRoot: false, installWithSudo: true }, ['sudo']],
    ['a user of Homebrew with --install', { manager: brew, isRoot: false, installWithSudo: true }, []],
  ])('%s', (_title, who, prefix) => {
    expect(installPrefix(who)).toEqual(prefix);
  });

  test.each([
    ['a user without --install', { manager: apt, isRoot: false, installWithSudo: false }],
    ['a user of Homebrew without --install', { manager: brew, isRoot: false, installWithSudo: false }],
    ['root with Homebrew, which refuses root', { manager: brew, isRoot: true, installWithSudo: true }],
  ])('not %s', (_title, who) => {
    expect(installPrefix(who)).toBeUndefined();
  });
});

describe('the command that a person is told to type', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-path-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test.each([
    ['dnf', 'sudo dnf install redis'],
    ['apk', 'sudo apk add redis'],
    ['brew', 'brew install redis'],
  ])('is that of the machine: %s', async (manager, command) => {
    const file = join(folder, manager);
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, 0o755);
    expect(await installCommandFor('redis', { PATH: folder })).toBe(command);
  });
});
