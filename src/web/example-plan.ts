/** The bundled example as the page offers it; the same plan as examples/trailer.json. */

export const EXAMPLE_PLAN: object = {
  aspect_ratio: '16:9',
  clip_prompts: [
    {
      clip_index: 0,
      prompt:
        'Before dawn, a lone lighthouse on a black cliff; its beam sweeps slowly through sea mist. Wide aerial shot, slow push in, cold blue light, film grain.',
      duration: 5,
    },
    {
      clip_index: 1,
      prompt:
        'Close-up of weathered hands lighting a brass oil lamp; the flame catches and warms an old nautical chart. Shallow focus, amber light, dust in the air.',
      duration: 3,
    },
    {
      clip_index: 2,
      prompt:
        'A girl in a yellow raincoat runs along a wet wooden pier toward the camera, gulls scattering. Handheld tracking shot, overcast morning, reflections on the planks.',
      duration: 5.2,
    },
    {
      clip_index: 3,
      prompt:
        'Under water: a whale drifts past a sunken ship, shafts of light falling through green water. Slow dolly, vast scale, drifting particles.',
      duration: 7.5,
    },
    {
      clip_index: 4,
      prompt:
        'A small red fishing boat climbs a huge wave in a storm, spray tearing across the deck. Low angle, telephoto, grey and silver light.',
      duration: 4,
    },
    {
      clip_index: 5,
      prompt:
        'Inside the wheelhouse, the captain grips the wheel, rain streaming down the glass behind her, instruments glowing green. Medium close-up, slight camera sway.',
      duration: 4.5,
    },
    {
      clip_index: 6,
      prompt:
        'Lightning reveals a drowned city for one heartbeat: towers, bridges and a broken clock rising from the sea. Extreme wide shot, long exposure look.',
      duration: 5,
    },
    {
      clip_index: 7,
      prompt:
        'The girl holds a paper boat with a tiny light inside and sets it on a still black tide pool full of stars. Macro, very slow tilt up, quiet.',
      duration: 6,
    },
    {
      clip_index: 8,
      prompt:
        'Hundreds of paper boats with lights drift through flooded streets at dusk, people watching from windows. Gliding crane shot, warm lanterns against blue dusk.',
      duration: 8,
    },
    {
      clip_index: 9,
      prompt:
        'The captain smiles for the first time as sunlight breaks across her face and sea spray glitters. Close-up, golden hour, lens flare.',
      duration: 3.5,
    },
    {
      clip_index: 10,
      prompt:
        'Two silhouettes walk hand in hand along the lighthouse gallery as the sun rises out of the sea. Orbiting drone shot, pink and gold sky.',
      duration: 5,
    },
    {
      clip_index: 11,
      prompt:
        'The lighthouse lamp goes out; in the first daylight the sea lies flat as glass to the horizon. Static wide shot, slow fade to white.',
      duration: 5,
    },
  ],
};
