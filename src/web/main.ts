/**
 * The page's beginning: two addresses below its base, `/` and `/jobs/:job_id`, drawn into one place. Links inside the
 * page change the address without loading it again; everything else is the browser's.
 */
import { onKeyNeeded } from './api-client.js';
import { below, under } from './base.js';
import { askForApiKey } from './dialogs.js';
import { attribute, h, show } from './dom.js';
import { safeLink } from './format.js';
import { watchHealth } from './health.js';
import { jobList } from './views/job-list.js';
import { jobView } from './views/job-view.js';
import { notices } from './views/notices.js';
import { planForm, type View } from './views/plan-form.js';

const place = (selector: string): HTMLElement => {
  const element = document.querySelector<HTMLElement>(selector);
  if (element === null) throw new Error(`The page has no ${selector}`);
  return element;
};

const JOB = /^\/jobs\/([^/]+)\/?$/;

// The document names its links from where it was loaded; `pushState` changes what that is, so they are fixed first.
for (const link of document.querySelectorAll<HTMLAnchorElement | HTMLLinkElement>('[href^="."]')) {
  attribute(link, 'href', link.href);
}

onKeyNeeded(askForApiKey);
const main = place('#view');
const notify = notices(place('#notices'));
const health = watchHealth();
let current: View | null = null;

function homeView(): View {
  const form = planForm(openJob);
  const jobs = jobList();
  const tell = (): void => {
    const readiness = health.latest();
    notify({
      stream: null,
      readiness,
      stale: false,
      isRunning: false,
      simulated: readiness?.simulated === true,
    });
  };
  const unlisten = health.listen(tell);
  tell();
  return {
    element: h('div', { class: 'home' }, form.element, jobs.element),
    close() {
      unlisten();
      form.close();
      jobs.close();
    },
  };
}

function draw(): void {
  const jobId = JOB.exec(below(location.href) ?? '')?.[1];
  current?.close();
  document.title = 'Clip generator';
  current =
    jobId === undefined
      ? homeView()
      : jobView(decodeURIComponent(jobId), { health, notify, openJob });
  main.replaceChildren(current.element);
}

function go(address: string): void {
  history.pushState(null, '', address);
  draw();
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
}

function openJob(jobId: string): void {
  go(under(`/jobs/${encodeURIComponent(jobId)}`));
}

/** Is it an address that this page draws? */
function isOurs(link: HTMLAnchorElement): boolean {
  const place = below(link.href);
  return place !== null && (place === '/' || JOB.test(place));
}

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link === null || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
    return;
  if (link.target !== '' || link.hasAttribute('download') || !isOurs(link)) return;
  if (link.hash !== '' && link.pathname === location.pathname) return;
  event.preventDefault();
  go(link.href);
});
window.addEventListener('popstate', draw);

const temporal = place('#temporal-link');
health.listen(() => {
  const url = safeLink(health.latest()?.ui_url);
  show(temporal, url !== null);
  attribute(temporal, 'href', url);
});
draw();
