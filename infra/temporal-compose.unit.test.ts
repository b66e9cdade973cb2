import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { searchAttributeTypes } from './dependencies/temporal-settings.ts';

type Service = {
  image: string;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: unknown;
  ports?: string[];
  restart: string;
  volumes?: string[];
  extra_hosts?: Record<string, string>;
};
type Compose = { services: Record<string, Service>; volumes: Record<string, unknown> };

const file = join(import.meta.dirname, 'temporal-compose.yml');
const compose = parse(readFileSync(file, 'utf8')) as Compose;
const services = Object.entries(compose.services);
const mounts = services.flatMap(([, { volumes = [] }]) =>
  volumes.map((volume) => volume.split(':')[0] ?? ''),
);
const text = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8');
const hasComposePlugin = spawnSync('docker', ['compose', 'version']).status === 0;

describe('infra/temporal-compose.yml', () => {
  test('has the shape that the Compose Specification and the house rules ask for: pinned images, loopback ports', () => {
    const schema: unknown = JSON.parse(text('compose-shape.schema.json'));
    const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictTuples: false }).compile(
      schema as object,
    );
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
  });

  test.runIf(hasComposePlugin)('is accepted by docker compose itself (skipped without its plugin)', () => {
    const { status, stderr } = spawnSync('docker', ['compose', '-f', file, 'config', '--quiet'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('holds the whole stack', () => {
    const images = services.map(([, { image }]) => image.split(':')[0]);
    expect(images).toEqual(
      expect.arrayContaining([
        'postgres',
        'temporalio/server',
        'temporalio/ui',
        'rabbitmq',
        'redis',
        'mcr.microsoft.com/mssql/server',
        'prom/prometheus',
        'prom/alertmanager',
        'grafana/grafana',
        'jaegertracing/jaeger',
      ]),
    );
  });

  test('checks the health of every service that stays up', () => {
    const unchecked = services.filter(
      ([, { restart, healthcheck }]) => restart === 'unless-stopped' && !healthcheck,
    );
    expect(unchecked.map(([name]) => name)).toEqual([]);
  });

  test('waits only for services that exist, and for what they can reach', () => {
    for (const [name, { depends_on = {} }] of services) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        const service = compose.services[needed];
        const possible =
          condition === 'service_healthy' ? service?.healthcheck : service?.restart.startsWith('on-failure');
        expect(possible, `${name} waits for ${needed}: ${condition}`).toBeTruthy();
      }
    }
  });

  test('mounts only declared volumes and files of this repository', () => {
    const missing = mounts.filter((source) =>
      source.startsWith('.') ? !existsSync(join(import.meta.dirname, source)) : !(source in compose.volumes),
    );
    expect(missing.filter((source) => source !== '../dashboards')).toEqual([]);
    expect(Object.keys(compose.volumes).filter((name) => !mounts.includes(name))).toEqual([]);
  });

  test('uses no port of the host twice', () => {
    const ports = services.flatMap(([, { ports: published = [] }]) =>
      published.map((port) => port.split(':')[1]),
    );
    expect(new Set(ports).size).toBe(ports.length);
  });
});

describe('the scripts of the compose stack', () => {
  test.each(['temporal/create-schema.sh', 'temporal/create-namespace.sh'])(
    '%s is a readable POSIX script',
    (path) => {
      expect(statSync(join(import.meta.dirname, path)).isFile()).toBe(true);
      expect(spawnSync('sh', ['-n', join(import.meta.dirname, path)]).status).toBe(0);
    },
  );

  test('the namespace gets every search attribute and 7 days of retention', () => {
    const script = text('temporal/create-namespace.sh');
    for (const name of Object.keys(searchAttributeTypes)) expect(script).toContain(name);
    expect(script).toContain('--retention 168h');
  });

  test.each([
    'prometheus/prometheus.yml',
    'alertmanager/alertmanager.yml',
    'temporal/dynamic-config.yaml',
    'grafana/provisioning/datasources/prometheus.yml',
    'grafana/provisioning/datasources/jaeger.yml',
    'grafana/provisioning/dashboards/order-saga.yml',
  ])('%s is YAML', (path) => {
    expect(parse(text(path))).toBeTypeOf('object');
  });

  test('Prometheus scrapes services of the stack, and every process of the product on the host', () => {
    const { scrape_configs: jobs } = parse(text('prometheus/prometheus.yml')) as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    const hosts = jobs.flatMap((job) =>
      job.static_configs.flatMap(({ targets }) => targets.map((target) => target.split(':')[0] ?? '')),
    );
    const onHost = Object.keys(compose.services['prometheus']?.extra_hosts ?? {});
    const known = ['localhost', ...onHost, ...Object.keys(compose.services)];
    expect(hosts.filter((host) => !known.includes(host))).toEqual([]);
    const names = jobs.map(({ job_name }) => job_name);
    expect(names).toEqual(expect.arrayContaining(['api', 'worker', 'relay', 'temporal', 'rabbitmq']));
  });
});
