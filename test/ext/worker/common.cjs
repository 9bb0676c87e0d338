module.exports = { hello: ({ workerData }) => `hello ${workerData}` };
