import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Link,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import { scrubText } from './scrub.ts';
import type { SpanAttributes } from './span-attributes.ts';
import { withSpanId } from './span-ids.ts';

export interface SpanInput {
  name: string;
  /** Default `internal`. */
  kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  attributes?: SpanAttributes;
  /** W3C `traceparent` of the parent; without a valid one a new trace begins. Absent: the span at work is the parent. */
  parent?: string | undefined;
  /** W3C `traceparent`s of spans of other traces that led to this one; invalid ones are left out. */
  links?: readonly (string | undefined)[];
  /** No span where none is at work: for what is only worth seeing as a part of something. Default false. */
  inside?: boolean;
  /** Whether what is thrown is an answer and no failure. Default: it never is. */
  isAnswer?: (error: unknown) => boolean;
}

/** A span at work, as far as those who do the work change it. */
export interface ActiveSpan {
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** Marks the span as failed though nothing is thrown. */
  fail(errorType: string): void;
}

/** A span of something that has ended already. */
export interface EndedSpan extends Omit<SpanInput, 'isAnswer'> {
  /** Milliseconds since 1970. */
  startedMs: number;
  endedMs: number;
  /** Kind of failure, where it failed. */
  errorType?: string | undefined;
  /** 16 hexadecimal digits, for what may be told twice: the second span then is the same one. Default: by chance. */
  spanId?: string;
}

let on = false;

/** Whether spans are recorded in this process. Without it nothing here does anything. */
export const isTracing = (): boolean => on;

/** Told by who installs the SDK. */
export function setTracing(recording: boolean): void {
  on = recording;
}

/** Runs `work` in a span of its own, which ends with it; what it throws is recorded and thrown on. */
export function traced<T>(input: SpanInput, work: (span: ActiveSpan) => Promise<T>): Promise<T> {
  const parent = on ? parentOf(input) : undefined;
  return parent === undefined ? work(noSpan) : run(input, parent, work);
}

async function run<T>(input: SpanInput, parent: Context, work: (span: ActiveSpan) => Promise<T>): Promise<T> {
  const span = startSpan(input, parent);
  try {
    return await context.with(trace.setSpan(parent, span), work, undefined, activeSpanOf(span));
  } catch (error) {
    if (input.isAnswer?.(error) !== true) recordError(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Records a span of what is over. */
export function recordSpan(input: EndedSpan): void {
  const parent = on ? parentOf(input) : undefined;
  if (parent === undefined) return;
  const start = () => startSpan(input, parent, input.startedMs);
  const span = input.spanId === undefined ? start() : withSpanId(input.spanId, start);
  if (input.errorType !== undefined) failSpan(span, input.errorType);
  span.end(input.endedMs);
}

/** Adds facts to the span at work, where there is one. */
export function annotate(attributes: SpanAttributes): void {
  if (on) trace.getActiveSpan()?.setAttributes(attributes);
}

/** The span at work as a W3C `traceparent`, to be the parent of what it leads to elsewhere. */
export function activeTraceparent(): string | undefined {
  const active = on ? trace.getActiveSpan()?.spanContext() : undefined;
  return active && traceparentOf(active);
}

/** The span at work, for log lines. */
export function activeTrace(): { traceId: string; spanId: string } | undefined {
  const active = on ? trace.getActiveSpan()?.spanContext() : undefined;
  return active && { traceId: active.traceId, spanId: active.spanId };
}

/** Undefined where no span is wanted. */
function parentOf(input: Pick<SpanInput, 'parent' | 'inside'>): Context | undefined {
  if ('parent' in input) {
    const parent = spanContextOf(input.parent);
    if (parent) return trace.setSpanContext(ROOT_CONTEXT, parent);
    return input.inside === true ? undefined : ROOT_CONTEXT;
  }
  const active = context.active();
  return input.inside === true && trace.getSpan(active) === undefined ? undefined : active;
}

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

function startSpan(input: SpanInput, parent: Context, startTime?: number): Span {
  const { name, kind = 'internal', attributes = {}, links = [] } = input;
  const options = { kind: kinds[kind], attributes, links: linksOf(links), ...(startTime && { startTime }) };
  return trace.getTracer('order-saga').startSpan(name, options, parent);
}

const linksOf = (traceparents: readonly (string | undefined)[]): Link[] =>
  traceparents.flatMap((one) => {
    const linked = spanContextOf(one);
    return linked ? [{ context: linked }] : [];
  });

const activeSpanOf = (span: Span): ActiveSpan => ({
  rename: (name) => void span.updateName(name),
  set: (attributes) => void span.setAttributes(attributes),
  fail: (errorType) => failSpan(span, errorType),
});

const noSpan: ActiveSpan = { rename() {}, set() {}, fail() {} };

function recordError(span: Span, error: unknown): void {
  const name = errorTypeOf(error);
  const message = scrubText(error instanceof Error ? error.message : String(error)).slice(0, 500);
  span.recordException({ name, message });
  failSpan(span, name);
}

function failSpan(span: Span, errorType: string): void {
  span.setAttribute('error.type', errorType);
  span.setStatus({ code: SpanStatusCode.ERROR, message: errorType });
}

/** The failure type where it has one (a technical failure, an application failure of Temporal's), its class otherwise. */
export function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { type } = error as { type?: unknown };
  return typeof type === 'string' && type !== '' ? type : error.name;
}

/** W3C Trace Context level 1; a later version is read by its first four fields. */
const pattern = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a `traceparent`; undefined when it is none. */
export function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const [, version, traceId, spanId, flags, rest] = pattern.exec(traceparent?.trim() ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
