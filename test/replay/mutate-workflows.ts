import { cp, mkdtemp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runtimeFolder } from '../../infra/runtime-folder.ts';
import type { Mutation } from './mutations.ts';

const projectFolder = join(import.meta.dirname, '..', '..');

/** Calls `use` with the folder of a mutated copy of `workflows/`, which is gone afterwards. */
export async function withMutatedWorkflows<T>(
  mutation: Mutation,
  use: (workflows: string) => Promise<T>,
): Promise<T> {
  await mkdir(runtimeFolder, { recursive: true });
  const folder = await mkdtemp(join(runtimeFolder, 'mutated-'));
  try {
    const workflows = join(folder, 'workflows');
    await cp(join(projectFolder, 'workflows'), workflows, { recursive: true });
    await symlink(join(projectFolder, 'domain'), join(folder, 'domain'));
    await mutate(workflows, mutation);
    return await use(workflows);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function mutate(workflows: string, mutation: Mutation): Promise<void> {
  const path = join(workflows, mutation.file);
  await writeFile(path, mutated(await readFile(path, 'utf8'), mutation));
}

/** Throws where the text to change does not stand there exactly once. */
export function mutated(text: string, { name, file, find, replace }: Mutation): string {
  const found = text.split(find).length - 1;
  if (found === 1) return text.replace(find, () => replace);
  throw new Error(
    `Mutation "${name}": expected workflows/${file} to hold \`${find}\` once, found it ${found} times. ` +
      'The code has moved: give the mutation in test/replay/mutations.ts the text that now stands there.',
  );
}
