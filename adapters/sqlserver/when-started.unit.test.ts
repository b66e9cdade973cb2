import { describe, expect, it } from 'vitest';
import { whenStarted } from './when-started.ts';

const login = (number: number) => Object.assign(new Error('said the server'), { code: 'ELOGIN', number });

describe('a database that is starting', () => {
  it.each([
    ['an Azure database resumes', 40_613],
    ['a managed instance is reconfigured', 926],
  ])('is waited for, with one line, as %s (%i)', async (_, number) => {
    const lines: string[] = [];
    let tries = 0;
    const open = async () => {
      if ((tries += 1) < 4) throw login(number);
      return 'open';
    };
    const options = { onWaiting: (line: string) => void lines.push(line), pauseMs: 1 };
    expect(await whenStarted(open, options)).toBe('open');
    expect([tries, lines]).toEqual([4, ['The database is starting (said the server): waiting for it']]);
  });

  it('is not waited for without end, and a wrong password not at all', async () => {
    const failing = (number: number) => async () => {
      tries += 1;
      throw login(number);
    };
    let tries = 0;
    await expect(whenStarted(failing(18_456), { pauseMs: 1 })).rejects.toThrow('said the server');
    expect(tries).toBe(1);
    await expect(whenStarted(failing(40_613), { pauseMs: 1, longestMs: 20 })).rejects.toMatchObject({
      number: 40_613,
    });
    expect(tries).toBeGreaterThan(2);
  });
});
