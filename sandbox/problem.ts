import type { Context } from 'hono';
import type { z } from 'zod';

/** An RFC 9457 answer of the sandbox's own API. */
export const problem = (
  c: Context,
  status: 400 | 404 | 409 | 422,
  detail: string,
  more: Record<string, unknown> = {},
): Response =>
  c.json({ type: 'about:blank', title: TITLES[status], status, detail, ...more }, status, {
    'content-type': 'application/problem+json',
  });

const TITLES = { 400: 'Bad Request', 404: 'Not Found', 409: 'Conflict', 422: 'Unprocessable Content' };

const flattened = (issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] =>
  issues.flatMap((issue) => (issue.code === 'invalid_union' ? flattened(bestBranch(issue)) : [issue]));

/** Of a union's branches the one that got furthest, so that the message is about what was meant. */
const bestBranch = (issue: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] => {
  const depth = (branch: readonly z.core.$ZodIssue[]) => Math.max(...branch.map(({ path }) => path.length));
  const [best = []] = [...issue.errors].sort((a, b) => depth(b) - depth(a));
  return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
};

/** 422 that names each field that does not fit and what was expected. */
export const invalid = (c: Context, error: z.ZodError): Response => {
  const errors = flattened(error.issues).map(({ path, message }) => ({ field: path.join('.'), message }));
  const detail = errors.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join('; ');
  return problem(c, 422, detail, { errors });
};

/** The JSON body, or undefined when there is none or it is not JSON. */
export const jsonBody = async (c: Context): Promise<unknown> => {
  try {
    return await c.req.json();
  } catch {
    return undefined;
  }
};
