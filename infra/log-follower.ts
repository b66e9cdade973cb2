import { join } from 'node:path';
import { prettyFactory } from 'pino-pretty';
import { openLogFile } from './log-file.ts';

export type LogFollower = {
  /** Takes one line of a process: into `<folder>/<name>.log` as it came, and onto the terminal with the process's name. */
  follow: (process: { name: string; color: number }) => (line: string) => void;
  /** A line of the launcher's own. */
  say: (line: string) => void;
  /** Keeps the terminal for something else; files are written on. */
  pause: () => void;
  resume: () => void;
};

const NAME_WIDTH = 8;

/** Prints what the product's processes log; the folder for their files must be there. JSON lines are made readable; anything else is shown as it came. */
export function createLogFollower(options: {
  folder: string;
  print: (text: string) => void;
  colors: boolean;
}): LogFollower {
  const { folder, print, colors } = options;
  const pretty = prettyFactory({ colorize: colors, ignore: 'pid,hostname,process', singleLine: true });
  const readable = (line: string) => (line.startsWith('{') ? String(pretty(line)).trimEnd() : line);
  const say = (line: string) => print(`${line}\n`);
  let paused = false;
  return {
    follow: ({ name, color }) => {
      const file = openLogFile({ file: join(folder, `${name}.log`), say });
      const prefix = colors ? `\u001b[${color}m${name.padEnd(NAME_WIDTH)}\u001b[0m` : name.padEnd(NAME_WIDTH);
      return (line) => {
        file.write(line);
        if (!paused) print(`${prefix} ${readable(line)}\n`);
      };
    },
    say,
    pause: () => (paused = true),
    resume: () => (paused = false),
  };
}
