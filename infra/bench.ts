import { join } from 'node:path';
import { startProcess } from './processes.ts';
import { projectFolder } from './runtime-folder.ts';
import { withServices } from './with-services.ts';

/**
 * `npm run bench [-- arguments]`: the benchmark on private servers with empty data; it learns their addresses from the environment.
 * `-- --sql` compares the two stores alone, which needs none of these servers.
 */
const args = process.argv.slice(2);
if (args.includes('--sql')) {
  const sql = await startProcess({
    name: 'bench',
    command: process.execPath,
    args: [join(projectFolder, 'bench', 'sql.ts'), ...args],
    folder: projectFolder,
    env: process.env,
    output: { terminal: true },
  });
  process.exit((await sql.exited).code ?? 1);
}
process.exitCode = await withServices({
  name: 'bench',
  args,
  use: async ({ services, addressFile }) => {
    const { temporal, rabbitmq, redis } = services;
    const bench = await startProcess({
      name: 'bench',
      command: process.execPath,
      args: [join(projectFolder, 'bench', 'run.ts'), ...args.filter((argument) => argument !== '--install')],
      folder: projectFolder,
      env: {
        ...process.env,
        TEMPORAL_ADDRESS: temporal.addresses.address,
        TEMPORAL_NAMESPACE: temporal.addresses.namespace,
        TEMPORAL_METRICS_URL: temporal.addresses.metricsUrl,
        AMQP_URL: rabbitmq.addresses.url,
        RABBITMQ_MANAGEMENT_URL: rabbitmq.addresses.managementUrl,
        REDIS_URL: redis.addresses.url,
        ORDER_SAGA_SERVICES: addressFile,
        ORDER_SAGA_DATA: join(addressFile, '..', 'data'),
      },
      output: { terminal: true },
    });
    const { code } = await bench.exited;
    return code ?? 1;
  },
});
process.exit();
