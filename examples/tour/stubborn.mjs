// A process that ignores SIGTERM.

process.on('SIGTERM', () => console.log('no, thank you'));
setInterval(() => {}, 1_000);
console.log('ready');
