/*
 * Calls every method of an object, whatever it takes: for tests that ask what code reads and binds, not what it does.
 */

/** What a caller may want, in turn. */
const acts = (function* () {
  for (;;) yield* ['retry', 'skip'];
})();

const lists: Record<string, () => unknown> = {
  filter: () => ({}),
  states: () => ['open'],
  ids: () => ['x'],
  partitions: () => [1],
  events: () => ['order.created.v1'],
  currency: () => 'INR',
  act: () => acts.next().value,
  message: () => anything(),
  content: () => Buffer.from('{}'),
  items: () => [{ productId: 'x', quantity: 1 }],
  lines: () => [{ kind: 'item', productId: 'x', quantity: 1, amountMinor: 1 }],
};

const numbers =
  /^(n|by|limit|onHand|sequence|seq|version|fence|attempts?|priority|position|wanted|setAsideAfter|httpStatus|\w+(Minor|Number|Ms|Sequence))$/;

/** An argument with whatever is asked of it: a list of one, an object, a text. */
function anything(): unknown {
  return new Proxy([{ productId: 'x', quantity: 1 }] as unknown[], {
    get(list, name) {
      if (name === Symbol.toPrimitive) return () => 'x';
      if (typeof name === 'symbol') return Reflect.get(list, name) as unknown;
      const given = lists[name];
      if (given) return given();
      if (name in list && !['find', 'at', 'with'].includes(name)) return Reflect.get(list, name) as unknown;
      if (numbers.test(name)) return 1;
      if (name.endsWith('Utc')) return '2026-01-02T03:04:05.678Z';
      return ['amount', 'price', 'total'].includes(name) ? { amountMinor: 1, currency: 'INR' } : 'x';
    },
  });
}

/** `family.method` of everything that can be called. */
export function methodsOf(families: object, path = ''): { name: string; call: () => unknown }[] {
  return Object.entries(families).flatMap(([name, member]) =>
    typeof member === 'function'
      ? [{ name: path + name, call: () => (member as (input: unknown) => unknown)(anything()) }]
      : methodsOf(member as object, `${path}${name}.`),
  );
}
