import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectFolder } from './runtime-folder.ts';

const left = new Set(['node_modules', 'coverage', '.runtime', '.git']);
/** Imports and re-exports as prettier prints them, of types as well, and dynamic ones. */
const imports = /(?:^(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?|\bimport\(\s*)'(\.[^']+)'/gm;

type Graph = ReadonlyMap<string, readonly string[]>;

/* The linter's import/no-cycle passes circles of types; a reader goes round in them all the same. */
describe('imports between files', () => {
  let graph: Graph;

  beforeAll(async () => {
    graph = await readImports();
  });

  test('are found', () => {
    expect(graph.size).toBeGreaterThan(500);
    expect(graph.get('workflows/index.ts')).toContain('workflows/fulfill-order/order.ts');
  });

  test('go round in no circle, of types neither', () => {
    expect(circleIn(graph)).toEqual([]);
  });

  test.each([
    ['api', 'workers'],
    ['workers', 'api'],
    ['compose', 'api'],
    ['compose', 'workers'],
    ['adapters', 'api'],
    ['adapters', 'compose'],
    ['adapters', 'workers'],
    ['ports', 'workflows'],
    ['workflows', 'api'],
  ])('never lead from %s/ to %s/, from tests neither', (from, to) => {
    expect(crossings(graph, from, to)).toEqual([]);
  });

  test('that go round are told with the way round', () => {
    const round = new Map([
      ['a.ts', ['b.ts']],
      ['b.ts', ['c.ts']],
      ['c.ts', ['b.ts']],
    ]);
    expect(circleIn(round)).toEqual(['b.ts', 'c.ts', 'b.ts']);
  });
});

async function readImports(): Promise<Graph> {
  const folders = await readdir(projectFolder, { withFileTypes: true });
  const files = await Promise.all(
    folders
      .filter((entry) => entry.isDirectory() && !left.has(entry.name))
      .map(async ({ name }) =>
        (await readdir(join(projectFolder, name), { recursive: true }))
          .filter((file) => /\.(ts|mjs)$/.test(file))
          .map((file) => posix.join(name, file.replaceAll('\\', '/'))),
      ),
  );
  return new Map(
    await Promise.all(
      files.flat().map(async (file) => {
        const text = await readFile(join(projectFolder, file), 'utf8');
        const found = [...text.matchAll(imports)].map(([, path = '']) =>
          posix.join(posix.dirname(file), path),
        );
        return [file, found] as const;
      }),
    ),
  );
}

const crossings = (graph: Graph, from: string, to: string): string[] =>
  [...graph].flatMap(([file, found]) =>
    file.startsWith(`${from}/`)
      ? found.filter((path) => path.startsWith(`${to}/`)).map((path) => `${file} imports ${path}`)
      : [],
  );

/** The first circle that is met, its first file again at its end; empty when there is none. */
function circleIn(graph: Graph): string[] {
  const done = new Set<string>();
  const way: string[] = [];
  const walk = (file: string): string[] => {
    if (done.has(file)) return [];
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    way.push(file);
    for (const next of graph.get(file) ?? []) {
      const circle = walk(next);
      if (circle.length > 0) return circle;
    }
    way.pop();
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const circle = walk(file);
    if (circle.length > 0) return circle;
  }
  return [];
}
