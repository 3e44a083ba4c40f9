import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { isCidr, layOutSubnets, validateVpcCidr } from "../../components/core/subnets";

/** First and last address of a range, counted by another way than the code's own: bit by bit. */
function addresses(cidr: string): [first: bigint, last: bigint] {
  const [address = "", length = ""] = cidr.split("/");
  const bits = address
    .split(".")
    .map(octet => Number(octet).toString(2).padStart(8, "0"))
    .join("");
  const network = bits.slice(0, Number(length));
  return [BigInt(`0b${network.padEnd(32, "0")}`), BigInt(`0b${network.padEnd(32, "1")}`)];
}

/** VPCs of every size that is taken, anywhere in 10.0.0.0/8. */
const vpcs = fc.integer({ min: 16, max: 22 }).chain(prefixLength =>
  fc.nat({ max: 2 ** (prefixLength - 8) - 1 }).map(index => {
    const base = 10 * 2 ** 24 + index * 2 ** (32 - prefixLength);
    return `${[24, 16, 8, 0].map(shift => Math.floor(base / 2 ** shift) % 256).join(".")}/${prefixLength}`;
  }),
);
const zoneCounts = fc.integer({ min: 1, max: 4 });

describe("the layout of subnets", () => {
  it("is what it was, so that an upgrade of this package moves no subnet", () => {
    assert.deepEqual(layOutSubnets("10.0.0.0/16", 3), {
      privateCidrs: ["10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18"],
      publicCidrs: ["10.0.192.0/20", "10.0.208.0/20", "10.0.224.0/20"],
    });
    assert.deepEqual(layOutSubnets("192.168.4.0/22", 2), {
      privateCidrs: ["192.168.4.0/24", "192.168.5.0/24"],
      publicCidrs: ["192.168.7.0/26", "192.168.7.64/26"],
    });
  });

  it("has a private and a public subnet per zone, all inside the VPC and apart from each other", () => {
    fc.assert(
      fc.property(vpcs, zoneCounts, (vpc, zones) => {
        const { privateCidrs, publicCidrs } = layOutSubnets(vpc, zones);
        assert.equal(privateCidrs.length, zones);
        assert.equal(publicCidrs.length, zones);
        const [first, last] = addresses(vpc);
        const ranges = [...privateCidrs, ...publicCidrs].map(addresses).sort(([a], [b]) => Number(a - b));
        ranges.forEach(([begin, end], index) => {
          assert.ok(begin >= first && end <= last, "outside the VPC");
          const next = ranges[index + 1];
          assert.ok(next === undefined || end < next[0], "overlap");
        });
      }),
    );
  });

  it("gives pods the larger subnets, of one size, and none below AWS's smallest", () => {
    fc.assert(
      fc.property(vpcs, zoneCounts, (vpc, zones) => {
        const { privateCidrs, publicCidrs } = layOutSubnets(vpc, zones);
        const lengths = (cidrs: string[]): number[] => [...new Set(cidrs.map(cidr => Number(cidr.split("/")[1])))];
        const [[pods, ...others], [open]] = [lengths(privateCidrs), lengths(publicCidrs)];
        assert.deepEqual(others, []);
        assert.ok(pods! < open! && open! <= 28);
      }),
    );
  });

  it("leaves subnets where they are when a third zone is added to two", () => {
    fc.assert(
      fc.property(vpcs, vpc => {
        const [two, three] = [layOutSubnets(vpc, 2), layOutSubnets(vpc, 3)];
        assert.deepEqual(three.privateCidrs.slice(0, 2), two.privateCidrs);
        assert.deepEqual(three.publicCidrs.slice(0, 2), two.publicCidrs);
      }),
    );
  });
});

describe("a VPC's range", () => {
  it("is private, aligned, and large enough for pods", () => {
    for (const cidr of [
      "10.0.0.0/16",
      "10.255.0.0/16",
      "172.31.0.0/16",
      "192.168.0.0/16",
      "100.64.0.0/16",
      "10.0.4.0/22",
    ]) {
      assert.deepEqual(validateVpcCidr("cidr", cidr), [], cidr);
    }
  });

  it("is refused otherwise, with what to write", () => {
    const refused: [cidr: string, reason: RegExp][] = [
      ["10.0.0.0", /write one like/],
      ["10.0.0.1/16", /zeros behind the prefix/],
      ["10.0.0.256/16", /not a range/],
      ["10.0.0.0/33", /not a range/],
      ["10.0.0.0/8", /\/16 to \/22/],
      ["10.0.0.0/23", /\/16 to \/22/],
      ["8.8.0.0/16", /internet/],
      ["172.32.0.0/16", /internet/],
      ["0.0.0.0/0", /\/16 to \/22/],
    ];
    for (const [cidr, reason] of refused) {
      const [problem] = validateVpcCidr("cidr", cidr);
      assert.match(problem?.reason ?? "accepted", reason, cidr);
    }
  });

  it("is told from other text", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.nat({ max: 40 }), (address, length) => {
        const [, last] = length <= 32 ? addresses(`${address}/${length}`) : [0n, 0n];
        const base = BigInt(
          `0b${address
            .split(".")
            .map(octet => Number(octet).toString(2).padStart(8, "0"))
            .join("")}`,
        );
        const isAligned = length <= 32 && last - base === 2n ** BigInt(32 - length) - 1n;
        assert.equal(isCidr(`${address}/${length}`), isAligned);
      }),
    );
  });
});
