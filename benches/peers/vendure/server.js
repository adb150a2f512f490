// Serves the shop from PROCESSES processes that share one port.
const cluster = require('cluster');
const { bootstrap } = require('@vendure/core');
const { config } = require('./config');

if (cluster.isPrimary) {
  // One after another, because each of them looks at startup for what is missing in the database.
  let listening = 0;
  cluster.on('listening', () => {
    listening += 1;
    if (listening < Number(process.env.PROCESSES)) {
      cluster.fork();
    } else {
      console.log('All server processes are ready.');
    }
  });
  cluster.on('exit', (worker, code, signal) => {
    console.error(`server process ${worker.process.pid} ended: ${signal ?? code}`);
    process.exit(1);
  });
  cluster.fork();
} else {
  bootstrap(config).catch((error) => {
    console.error(error);
    process.exit(1);
  });
}
