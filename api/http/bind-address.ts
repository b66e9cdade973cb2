const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Throws, naming the fix, when an API that takes everybody as operator would be reachable from elsewhere.
 */
export function requireSafeAddress(input: { host: string; hasCallers: boolean }): void {
  if (input.hasCallers || isLoopback(input.host)) return;
  throw new Error(
    `API_HOST=${input.host} is reachable from other machines, and without API_CALLERS everybody is an operator. ` +
      'Set API_CALLERS=\'[{"key":"<at least 16 characters>","callerId":"shop-a","role":"shop"}]\', or API_HOST=127.0.0.1.',
  );
}
