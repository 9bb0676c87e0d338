export type {
  AskAnswer,
  AskMode,
  HeldSlot,
  LeaseAsk,
  LeaseNews,
  LeasePulse,
  LeaseStore,
} from './store.ts';
