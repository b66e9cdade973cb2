import type { Client } from '@temporalio/client';
import type { BenchEnvironment } from '../bench-environment.ts';
import type { Books } from '../order-times.ts';

/** What a section measures with. */
export interface BenchContext {
  environment: BenchEnvironment;
  client: Client;
  books: Books;
  /** Shorter and with fewer orders: to see that it works, not for figures. */
  quick: boolean;
  say(line: string): void;
}

/** One line of the table. */
export interface Figure {
  figure: string;
  value: string;
  /** What is required and aimed for, where something is. */
  goal?: string;
}

/** A part of the benchmark that can run alone. `facts` goes into the JSON as it is. */
export interface Section {
  name: string;
  run(context: BenchContext): Promise<{ figures: Figure[]; facts: Record<string, unknown> }>;
}
