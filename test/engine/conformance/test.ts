import { Lab } from "./lab";

/** One thing that a decision of this project rests on, as a test that a real engine and its simulation both pass. */
export interface ConformanceTest {
  /** What the engine does, as a sentence without its subject. */
  title: string;
  run: (lab: Lab) => Promise<void>;
}

/** The tests of one section of docs/engine.md. */
export interface ConformanceSection {
  section: string;
  tests: ConformanceTest[];
}
