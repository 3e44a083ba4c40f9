// Loaded before the manager and before the simulated engine: gives a process the pod's own address on this machine, where no pod has an interface of its own.
const { isMainThread } = require("node:worker_threads");

if (isMainThread) {
  const dns = require("node:dns");
  const net = require("node:net");
  const { POD_IP: ownAddress, HOST_ADDRESSES: addresses = "{}" } = process.env;
  const known = new Map(Object.entries(JSON.parse(addresses)));
  const { lookup } = dns;
  dns.lookup = (host, options, answer) => {
    const address = known.get(host);
    if (address === undefined) return lookup(host, options, answer);
    process.nextTick(() => (options.all ? answer(null, [{ address, family: 4 }]) : answer(null, address, 4)));
  };
  const { listen } = net.Server.prototype;
  net.Server.prototype.listen = function (where, ...rest) {
    return listen.call(this, typeof where === "number" ? { port: where, host: ownAddress } : where, ...rest);
  };
}
