import assert from "node:assert/strict";
import fc from "fast-check";
import {
  databaseNames,
  longestDatabaseName,
  validateDatabaseName,
  validateNamespaceName,
} from "../../components/core/names";

const letter = "abcdefghijklmnopqrstuvwxyz";
const inner = `${letter}0123456789-`;

/** Names that have no problem, up to the longest. */
const validNames = fc
  .tuple(
    fc.constantFrom(...letter),
    fc.array(fc.constantFrom(...inner), { maxLength: longestDatabaseName - 2 }),
    fc.constantFrom(...letter, ..."0123456789"),
  )
  .map(([first, middle, last]) => first + middle.join("") + last)
  .filter(name => validateDatabaseName(name).length === 0);

function objectsByKind(name: string): Record<string, string[]> {
  const names = databaseNames(name, "tidesql", 3);
  return {
    StatefulSet: [names.database],
    Pod: names.pods,
    PersistentVolumeClaim: names.pods.map(pod => `data-${pod}`),
    Service: [names.headlessService, names.primaryService, names.replicaService],
    ConfigMap: [names.configuration, names.manager],
    Secret: [names.objectStoreSecret, names.usersSecret, names.tlsSecret],
    Lease: [names.lease],
    Role: [names.role],
  };
}

describe("names", () => {
  const dnsLabel = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
  const dnsSubdomain = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

  it("every valid name gives Services, labels, pods and objects that Kubernetes takes", () => {
    fc.assert(
      fc.property(validNames, fc.integer({ min: 1, max: 20 }), (name, nodes) => {
        const names = databaseNames(name, name, nodes);
        for (const label of [names.headlessService, names.primaryService, names.replicaService, ...names.pods]) {
          assert.match(label, dnsLabel);
        }
        for (const object of Object.values(objectsByKind(name)).flat()) assert.match(object, dnsSubdomain);
        // The StatefulSet's controller labels pods with <name>-<hash>.
        assert.ok(`${name}-7f86dd9bcd`.length <= 63);
        assert.equal(names.pods.length, nodes);
      }),
    );
  });

  it("no object of one database is an object of another in its namespace", () => {
    const suffixes = fc.constantFrom("-primary", "-replica", "-config", "-manager", "-users", "-tls", "-0", "-1", "x");
    fc.assert(
      fc.property(validNames, suffixes, (a, suffix) => {
        const b = a + suffix;
        fc.pre(validateDatabaseName(b).length === 0);
        const [ofA, ofB] = [objectsByKind(a), objectsByKind(b)];
        for (const [kind, objects] of Object.entries(ofA)) {
          for (const object of objects) assert.ok(!ofB[kind]?.includes(object), `${kind} ${object}`);
        }
      }),
    );
  });

  it("priority classes of different namespaces differ though they are cluster-wide", () => {
    assert.notEqual(databaseNames("c", "a-b", 1).priorityClass, databaseNames("b-c", "a", 1).priorityClass);
  });

  for (const [name, why] of [
    ["", "empty"],
    ["Orders", "upper case"],
    ["1orders", "a digit first"],
    ["orders-", "a hyphen last"],
    ["orders_eu", "an underscore"],
    ["orders.eu", "a dot"],
    ["../orders", "a path"],
    ["o".repeat(longestDatabaseName + 1), "too long"],
    ["orders-primary", "another database's Service"],
    ["orders-replica", "another database's Service"],
  ] as const) {
    it(`refuses a name with ${why}`, () => {
      const problems = validateDatabaseName(name);
      assert.equal(problems.length, 1);
      assert.equal(problems[0]?.propertyPath, "name");
    });
  }

  it("takes a name of the longest length", () => {
    assert.deepEqual(validateDatabaseName("o".repeat(longestDatabaseName)), []);
  });

  it("refuses to make a namespace that every cluster has, and takes it when it exists", () => {
    for (const name of ["default", "kube-system"]) {
      assert.match(validateNamespaceName(name, true)[0]?.reason ?? "", /createNamespace/);
      assert.deepEqual(validateNamespaceName(name, false), []);
    }
    assert.deepEqual(validateNamespaceName("tidesql", true), []);
  });
});
