import { actRaces } from '../support/act-races.ts';

actRaces({ runs: 20, interruptAfterMs: 40_000 });
