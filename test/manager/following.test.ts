import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { followed, joined, notFollowing } from "../../components/manager/following";

const beat = (epoch: number, generation: number, number = 1) => ({ epoch, beat: number, generation });

describe("following", () => {
  it("does not begin with a heartbeat: only the marker behind a flush proves that nothing is missing", () => {
    assert.equal(followed(notFollowing, beat(1, 5), 500).following, "joining");
    assert.equal(joined(beat(1, 5)).following, "following");
  });

  it("goes on while the WAL rotates one generation at a time", () => {
    let state = joined(beat(1, 5));
    for (let generation = 5; generation < 20; generation++) state = followed(state, beat(1, generation), 500);
    assert.equal(state.following, "following");
  });

  it("is over when a generation may have been missed, for good", () => {
    const missed = followed(joined(beat(1, 5)), beat(1, 7), 500);
    assert.equal(missed.following, "missed");
    assert.equal(followed(missed, beat(1, 8), 500).following, "missed");
  });

  it("allows for what moves while this node did not look, but not for more", () => {
    assert.equal(followed(joined(beat(1, 5)), beat(1, 7), 1500).following, "following");
    assert.equal(followed(joined(beat(1, 5)), beat(1, 7), 1400).following, "missed");
    assert.equal(followed(joined(beat(1, 5)), beat(1, 9), 3000).following, "missed");
  });

  it("allows for the rotation that a promotion makes", () => {
    assert.equal(followed(joined(beat(1, 5)), beat(2, 7), 500).following, "following");
    assert.equal(followed(joined(beat(1, 5)), beat(2, 8), 500).following, "missed");
  });

  it("is over when the heartbeat's row, or its table, is gone", () => {
    assert.equal(followed(joined(beat(1, 5)), undefined, 500).following, "missed");
    assert.equal(followed(notFollowing, undefined, 500).following, "joining");
  });

  it("never trusts a replica again once it was missed, whatever follows", () => {
    const anyBeat = fc.record({ epoch: fc.nat(5), beat: fc.nat(), generation: fc.nat(50) });
    fc.assert(
      fc.property(fc.array(fc.option(anyBeat, { nil: undefined })), beats => {
        let state = followed(joined(beat(1, 5)), beat(1, 9), 500);
        for (const next of beats) state = followed(state, next, 500);
        assert.equal(state.following, "missed");
      }),
    );
  });
});
