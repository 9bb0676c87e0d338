import { render } from 'preact';

render(<h1>slotvisor</h1>, document.body);
