import { actRaces } from '../support/act-races.ts';

actRaces({ runs: 300, interruptAfterMs: 400_000 });
