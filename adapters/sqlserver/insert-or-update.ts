import { isUniqueViolation } from './errors.ts';

/** Runs an insert that is guarded by NOT EXISTS; false also when another transaction was quicker between the two. */
export async function inserts(insert: () => Promise<readonly unknown[]>): Promise<boolean> {
  try {
    return (await insert()).length > 0;
  } catch (error) {
    if (isUniqueViolation(error)) return false;
    throw error;
  }
}

/**
 * Runs an update-else-insert batch; once more when another transaction inserted the row between the two. The insert is
 * guarded by NOT EXISTS as well: after an update that a constraint refused, a batch goes on.
 */
export async function upsert<T>(batch: () => Promise<T>): Promise<T> {
  try {
    return await batch();
  } catch (error) {
    if (isUniqueViolation(error)) return batch();
    throw error;
  }
}
