// A process that will not be talked to.

process.on('SIGTERM', () => console.log('no, thank you'));
setInterval(() => {}, 1_000);
console.log('ready');
