/** The app has nothing to do at its start: whoever first needs a member logs in, silently. */
App({});
