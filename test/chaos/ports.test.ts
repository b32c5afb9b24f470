/** The ports of a stack are all different. */
import { expect, it } from 'vitest';
import { freePorts } from '../../src/ports.js';

it('ports that are asked for together are held together', async () => {
  const ports = await freePorts('127.0.0.1', 200);
  expect(new Set(ports).size).toBe(200);
});
