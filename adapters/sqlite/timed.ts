/** Told the seconds that each call of the store's methods took, by family and member: `orders.find`. */
export type OnStatementTime = (name: string, seconds: number) => void;

/** The same synchronous methods, timed; the very same object where nobody listens. */
export function timed<Methods extends object>(
  family: string,
  methods: Methods,
  onTime: OnStatementTime | undefined,
): Methods {
  if (onTime === undefined) return methods;
  const listed = Object.entries(methods) as [string, (...input: unknown[]) => unknown][];
  const wrapped = listed.map(([name, method]) => {
    const fullName = `${family}.${name}`;
    return [
      name,
      (...input: unknown[]) => {
        const startedAtMs = performance.now();
        try {
          return method(...input);
        } finally {
          onTime(fullName, (performance.now() - startedAtMs) / 1_000);
        }
      },
    ];
  });
  return Object.fromEntries(wrapped) as Methods;
}
