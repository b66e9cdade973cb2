/** Rejects with "<what> took longer than <ms> ms" when `work` does; `work` itself goes on and its late result is dropped. */
export function withTimeout<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  work.then(resolve, reject).finally(() => clearTimeout(timer));
  return promise;
}
