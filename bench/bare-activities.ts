/** Where the bare workflow's worker listens. */
export const bareTaskQueue = 'bench-bare';

/** Does nothing. */
export const nothing = async (_step: number): Promise<null> => null;
