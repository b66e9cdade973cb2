import { searchAttributes } from '../../domain/search-attributes.ts';

/** The search attributes of an order's workflow and their Temporal types; created at start wherever they are missing. */
export const searchAttributeTypes: Readonly<Record<string, 'Keyword'>> = Object.fromEntries(
  Object.values(searchAttributes).map((name) => [name, 'Keyword']),
);

/** How long closed runs are kept; the published life of an Idempotency-Key (24 h) must stay below it. */
export const RETENTION_DAYS = 7;

/** The namespace of a private server. */
export const DEFAULT_NAMESPACE = 'default';

/** What is built or downloaded where no Temporal CLI is found: CLI 1.5.1 brings server 1.29.1. */
export const CLI_VERSION = 'v1.5.1';

/** What a build of it compiles where nothing is compiled yet: `go list -deps github.com/temporalio/cli/cmd/temporal | wc -l`. */
export const CLI_PACKAGES = 1_298;

/** A CLI on PATH whose server is older lacks features the product relies on. */
export const OLDEST_SERVER = '1.28.0';

/**
 * The dev server has one history shard that polls its queues 20 times a second, so each hop of a workflow would wait for a tick of 50 ms,
 * and timers have a floor of about 1 s. With these values five activities in sequence take 47-85 ms instead of 550 ms.
 */
const dynamicConfig: Readonly<Record<string, string>> = {
  'history.transferProcessorMaxPollRPS': '2000',
  'history.timerProcessorMaxPollRPS': '2000',
  'history.visibilityProcessorMaxPollRPS': '200',
  'history.timerProcessorMaxTimeShift': '"10ms"',
  'system.enableActivityEagerExecution': 'true',
  'system.enableEagerWorkflowStart': 'true',
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
  'system.forceSearchAttributesCacheRefreshOnRead': 'false',
};

/** `full` keeps every commit through a power cut; `wal` about doubles the rate of a file database. */
const sqlitePragmas = ['journal_mode=wal', 'synchronous=full'];

/** Arguments of `temporal` for the tuned dev server. */
export function devServerArguments(server: {
  databaseFile: string;
  port: number;
  uiPort: number;
  metricsPort: number;
}): string[] {
  const options = {
    '--ip': '127.0.0.1',
    '--log-level': 'warn',
    '--port': server.port,
    '--ui-port': server.uiPort,
    '--metrics-port': server.metricsPort,
    '--db-filename': server.databaseFile,
  };
  return [
    'server',
    'start-dev',
    ...Object.entries(options).flatMap(([name, value]) => [name, String(value)]),
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
    ...sqlitePragmas.flatMap((pragma) => ['--sqlite-pragma', pragma]),
    ...Object.entries(searchAttributeTypes).flatMap(([name, type]) => [
      '--search-attribute',
      `${name}=${type}`,
    ]),
  ];
}
