// Restate: a workflow keeps the window, a call a clip, a durable step for each effect.
import './with-resolvers.mjs';
import * as restate from '@restatedev/restate-sdk';
import * as clients from '@restatedev/restate-sdk-clients';
import { create, save, takeOrders, tell, waitFor } from './shared.mjs';

const { RestatePromise } = restate;

const clips = restate.service({
  name: 'Clips',
  handlers: {
    render: async (ctx, { id, index, prompt }) => {
      const prediction = await ctx.run('create', () => create(prompt));
      const url = await ctx.run('wait', () => waitFor(prediction));
      await ctx.run('tell', () => tell({ id, done: index }));
      // Sent, not awaited: while a file is saved, the next clip renders.
      ctx.serviceSendClient(clips).save({ id, index, url });
      return index;
    },
    save: async (ctx, { id, index, url }) => {
      await ctx.run('save', () => save(url, { id, index }));
      await ctx.run('tell', () => tell({ id, stored: index }));
    },
  },
});

const jobs = restate.workflow({
  name: 'Jobs',
  handlers: {
    run: async (ctx, { id, prompts, at_once }) => {
      const running = new Map();
      const start = (index) => {
        const prompt = prompts[index];
        running.set(index, ctx.serviceClient(clips).render({ id, index, prompt }));
      };
      let next = 0;
      while (next < Math.min(at_once, prompts.length)) start(next++);
      while (running.size > 0) {
        running.delete(await RestatePromise.race([...running.values()]));
        if (next < prompts.length) start(next++);
      }
    },
  },
});

const { SERVICE_PORT, ADMIN_URL, INGRESS_URL } = process.env;
await restate.serve({ services: [clips, jobs], port: Number(SERVICE_PORT) });
const registered = await fetch(`${ADMIN_URL}/deployments`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ uri: `http://127.0.0.1:${SERVICE_PORT}`, force: true }),
});
if (!registered.ok) throw new Error(await registered.text());

const ingress = clients.connect({ url: INGRESS_URL });
await takeOrders((order) => ingress.workflowClient(jobs, order.id).workflowSubmit(order));
