/** Someone whose data must show up nowhere. */
export interface Person {
  customerEmail: string;
  shippingAddress: { name: string; street1: string; street2?: string; postalCode?: string; phone?: string };
}

/** What of a person, of payment methods and of keys is in the texts; each with what surrounds it. */
export function secretsIn(texts: readonly string[], person: Person): string[] {
  const { name, street1, street2, postalCode, phone } = person.shippingAddress;
  const secrets = [
    person.customerEmail,
    name,
    street1,
    ...[street2, phone].filter((part) => part !== undefined),
    ...(postalCode === undefined ? [] : [asOwnWord(postalCode)]),
    /\bpm_(?:card|1)\w*/,
    /\b(?:sk|rk)_(?:test|live)_\w+/,
    /\bwhsec_\w+/,
    /\bEZ[AT]K\w+/,
    /:\/\/[^\s/@:"[]+:[^\s/@"]+@/,
    /pi_\w+_secret_\w+/,
  ].map((secret) => (typeof secret === 'string' ? new RegExp(escaped(secret), 'i') : secret));
  return texts.flatMap((text) =>
    secrets.flatMap((secret) => {
      const at = text.search(secret);
      return at < 0 ? [] : [text.slice(Math.max(0, at - 80), at + 120)];
    }),
  );
}

/** Six digits turn up by chance in times, ids and amounts, there within a longer run. */
const asOwnWord = (text: string): RegExp => new RegExp(String.raw`(?<!\w|\d[.,])${escaped(text)}(?!\w)`, 'i');

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
