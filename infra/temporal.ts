import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cachedCli } from './dependencies/temporal-cli.ts';
import { findOnPath } from './dependencies/find-binary.ts';
import { addressFile } from './runtime-folder.ts';

/*
 * `npm run -s temporal -- workflow show …`: Temporal's own command line, the one on the PATH or the one that `npm start` has
 * fetched, at the address that is configured (TEMPORAL_ADDRESS), else at the running product's.
 */
try {
  const { env } = process;
  const cli = (await findOnPath('temporal', env)) ?? (await cachedCli({ env }).catch(() => undefined));
  if (cli === undefined) {
    throw new Error(
      'There is no temporal command: npm start fetches it where it starts Temporal itself; else install it from ' +
        'https://docs.temporal.io/cli.',
    );
  }
  const child = spawn(cli, process.argv.slice(2), {
    stdio: 'inherit',
    env: env['TEMPORAL_ADDRESS'] ? env : atProduct(env),
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.once('exit', (code) => process.exit(code ?? 1));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** As the launcher's own processes meet a private server: without the TLS or key of a profile that somebody has. */
function atProduct(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const file = env['ORDER_SAGA_ADDRESSES'] ?? addressFile;
  const others = Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return {
    ...Object.fromEntries(others),
    TEMPORAL_ADDRESS: addressIn(file),
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_CONFIG_FILE: fileURLToPath(new URL('dependencies/no-profile.toml', import.meta.url)),
  };
}

function addressIn(file: string): string {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { temporal: string }).temporal;
  } catch (cause) {
    throw new Error(`${file} cannot be read: start the product (npm start), or set TEMPORAL_ADDRESS`, {
      cause,
    });
  }
}
