import { expect, it } from 'vitest';
import { connectStore } from './connect-store.ts';

it('names what is wrong with an address of no known kind, without repeating its password', async () => {
  const connecting = connectStore({ SQL_URL: 'mysql://user:secret@host/db' });
  await expect(connecting).rejects.toThrow(
    'SQL_URL: expected sqlite:<path>, came an address that begins with "mysql:"',
  );
});
