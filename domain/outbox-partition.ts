/**
 * Partition of an order's messages, 0 to 15: FNV-1a (32 bit) over the id's UTF-16 code units, modulo 16. Stored with
 * each message, so every store and every release must compute the same.
 */
export function outboxPartitionOf(orderId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < orderId.length; index += 1) {
    hash = Math.imul(hash ^ orderId.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % 16;
}
