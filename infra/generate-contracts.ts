import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { stringify } from 'yaml';
import { dashboards } from '../dashboards/index.ts';
import { asyncApiOf } from '../messaging/contracts/async-api.ts';
import { breakingContractChanges } from '../messaging/contracts/breaking-changes.ts';
import { jsonSchemaOf, type JsonSchema } from '../messaging/contracts/event-contract.ts';
import { eventContracts } from '../messaging/contracts/event-contracts.ts';
import { eventTypesSource } from '../messaging/contracts/event-types-source.ts';
import { messagesPage } from '../messaging/contracts/messages-page.ts';
import { topology } from '../messaging/topology.ts';
import { configurationPage, environmentExample } from './configuration-page.ts';
import { metricsPage } from '../telemetry/metrics-page.ts';
import { createMetrics } from '../telemetry/metrics.ts';

const root = join(import.meta.dirname, '..');
const schemaFolder = 'messaging/contracts/schemas';
/** What consumers have been promised: grows with every compatible change, and nothing in it ever changes otherwise. */
const baselineFile = 'messaging/contracts/baseline.json';

/** The present JSON Schemas by event type. */
export const currentSchemas = (): Record<string, JsonSchema> =>
  Object.fromEntries(
    Object.entries(eventContracts).map(([eventType, contract]) => [
      eventType,
      jsonSchemaOf(eventType, contract),
    ]),
  );

export const readBaseline = async (): Promise<Record<string, JsonSchema>> =>
  JSON.parse(await readFile(join(root, baselineFile), 'utf8').catch(() => '{}')) as Record<
    string,
    JsonSchema
  >;

/** Every generated file by its path, formatted. Rejects when the contracts break the baseline. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const schemas = currentSchemas();
  const broken = breakingContractChanges(await readBaseline(), schemas);
  if (broken.length > 0) {
    throw new Error(
      `These changes break consumers; publish a .v2 beside .v1 instead (docs/subscribing.md):\n${broken.join('\n')}`,
    );
  }
  const files: [string, string][] = [
    ...Object.entries(schemas).map(([type, schema]): [string, string] => [
      `${schemaFolder}/${type}.schema.json`,
      JSON.stringify(schema),
    ]),
    [baselineFile, JSON.stringify(schemas)],
    ['domain/event-payloads.ts', eventTypesSource(eventContracts)],
    ...Object.entries(dashboards).map(([name, dashboard]): [string, string] => [
      `dashboards/${name}.json`,
      JSON.stringify(dashboard),
    ]),
    ['docs/configuration.md', await configurationPage()],
    ['.env.example', await environmentExample()],
    ['docs/metrics.md', metricsPage(createMetrics().specs)],
    ['docs/messages.md', messagesPage(eventContracts, topology)],
    ['docs/asyncapi.yaml', stringify(asyncApiOf(eventContracts), { aliasDuplicateObjects: false })],
  ];
  return new Map(
    await Promise.all(files.map(async ([path, text]) => [path, await formatted(path, text)] as const)),
  );
}

/** Paths whose content is not what the contracts say: changed by hand, out of date, or left over. */
export async function staleFiles(): Promise<string[]> {
  const files = await generatedFiles();
  const present = (await readdir(join(root, schemaFolder))).map((name) => `${schemaFolder}/${name}`);
  const leftOver = present.filter((path) => !files.has(path));
  const differing = await Promise.all(
    [...files].map(async ([path, text]) => {
      const there = await readFile(join(root, path), 'utf8').catch(() => '');
      return there === text ? [] : [path];
    }),
  );
  return [...leftOver, ...differing.flat()];
}

async function formatted(path: string, text: string): Promise<string> {
  if (path === '.env.example') return text;
  const filepath = join(root, path);
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}

/** `npm run generate`: schemas, types, documentation and baseline from the event contracts; the table of metrics. */
async function generate(): Promise<void> {
  const files = await generatedFiles();
  await rm(join(root, schemaFolder), { recursive: true, force: true });
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  console.log(`${files.size} files generated from messaging/contracts and telemetry`);
}

if (import.meta.main) await generate();
