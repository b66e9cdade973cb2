/** Does nothing. */
export const nothing = async (_step: number): Promise<null> => null;
