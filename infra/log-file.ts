import { createWriteStream, type WriteStream } from 'node:fs';

/** More than this waiting for the disk is dropped: a slow or stuck disk must not fill the memory. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;
const TRY_AGAIN_MS = 5_000;

/**
 * Appends lines to a file. A disk that is full, read-only or slow loses lines and nothing else: that is said once, the
 * file is opened again every 5 s, and then it is said how many lines are missing. Never throws.
 */
export function openLogFile(options: {
  file: string;
  say: (line: string) => void;
  now?: () => number;
  mostWaitingBytes?: number;
}): { write: (line: string) => void } {
  const { file, say, now = Date.now, mostWaitingBytes = MOST_WAITING_BYTES } = options;
  let stream: WriteStream | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let lost = 0;
  let isBroken = false;

  function open(): WriteStream {
    triedAt = now();
    const opened = createWriteStream(file, { flags: 'a' });
    opened.on('error', (error) => {
      if (stream === opened) stream = undefined;
      if (!isBroken) say(`${file} cannot be written; its lines are shown here alone: ${error.message}`);
      isBroken = true;
    });
    return opened;
  }

  return {
    write(line) {
      if (stream === undefined && now() - triedAt >= TRY_AGAIN_MS) stream = open();
      if (stream === undefined || stream.writableLength > mostWaitingBytes) {
        if (stream !== undefined && lost === 0) say(`${file}: the disk is too slow, lines are left out`);
        lost += 1;
        return;
      }
      const written = stream;
      written.write(`${line}\n`, (error) => {
        if (error) lost += 1;
        else if (lost > 0 && written.writableLength < mostWaitingBytes / 2) {
          say(`${file} is written again; ${lost} lines are missing in it`);
          lost = 0;
          isBroken = false;
        }
      });
    },
  };
}
