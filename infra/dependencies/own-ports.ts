import { isPortFree } from '../ports.ts';
import type { LaunchContext } from './dependency.ts';

const ATTEMPTS = 5;

/**
 * Starts a server on ports of its own. Where it did not start and one of them is taken by now (between choosing and
 * listening somebody else was quicker), another port is taken in its place and it is started again.
 */
export async function onOwnPorts<Name extends string, Started>(
  context: Pick<LaunchContext, 'takePort' | 'say'>,
  server: { name: string; ports: Readonly<Record<Name, string>> },
  start: (ports: Record<Name, number>) => Promise<Started>,
  isFree = isPortFree,
): Promise<Started> {
  const names = Object.entries(server.ports) as [Name, string][];
  const ports = {} as Record<Name, number>;
  for (const [name, bookedAs] of names) ports[name] = await context.takePort(bookedAs);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start({ ...ports });
    } catch (error) {
      const lost: [Name, string][] = [];
      for (const name of names) if (!(await isFree(ports[name[0]]))) lost.push(name);
      if (lost.length === 0 || attempt === ATTEMPTS) throw error;
      for (const [name, bookedAs] of lost) {
        const taken = ports[name];
        ports[name] = await context.takePort(bookedAs);
        context.say(`${server.name}: port ${taken} was taken by another program; using ${ports[name]}`);
      }
    }
  }
}
