// SPDX-License-Identifier: MIT
// usage: node peers.mjs WAY WHAT NUMBER [NUMBER], as peers.c; the ways are get-port
// and portfinder, packages that are found from the directory of this file.
import net from "node:net";
import readline from "node:readline";

const [way, what, first, second] = process.argv.slice(2);

async function picker() {
  if (way === "get-port") {
    const { default: getPort } = await import("get-port");
    return () => getPort();
  }
  const { default: portfinder } = await import("portfinder");
  return () => portfinder.getPortPromise();
}

const pick = await picker();

async function pickMany(count) {
  const ports = [];
  for (let i = 0; i < count; i++) ports.push(await pick());
  return ports;
}

function bind(port) {
  return new Promise((done) => {
    const server = net.createServer();
    server.on("error", () => done(false));
    server.listen(port, "127.0.0.1", () => done(true));
  });
}

if (what === "time") {
  const took = [];
  for (let i = 0; i < Number(second); i++) {
    const start = process.hrtime.bigint();
    await pickMany(Number(first));
    took.push(Number(process.hrtime.bigint() - start));
  }
  took.sort((a, b) => a - b);
  console.log(took[took.length >> 1]);
} else if (what === "many") {
  console.log((await pickMany(Number(first))).join("\n"));
  for await (const _ of process.stdin);
} else if (what === "late") {
  const ports = await pickMany(Number(first));
  console.log("picked");
  for await (const _ of readline.createInterface({ input: process.stdin })) break;
  let lost = 0;
  for (const port of ports) if (!(await bind(port))) lost++;
  console.log(lost);
  process.exit(0);
} else {
  process.exit(2);
}
