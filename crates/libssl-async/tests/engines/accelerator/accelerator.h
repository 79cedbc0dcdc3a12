/* A pretended accelerator: a queue of limited length, a thread that computes, and somebody who collects. */
#ifndef ACCELERATOR_H
#define ACCELERATOR_H

/* How the accelerator tells that a request is done. */
enum notification {
    NOTIFY_CALLBACK,   /* The callback of the wait context; status OK. */
    NOTIFY_DESCRIPTOR, /* A descriptor in the wait context; no status, as engines from before the callback do it. */
    NOTIFY_BOTH,       /* The descriptor, then the callback; status OK. */
    NOTIFY_NEITHER,    /* Nothing: who asks again learns it. */
};

enum counter {
    COUNT_IN_FLIGHT = 1, /* Taken and not told yet; what the queue limits. 2 and 3 are other kinds, never there. */
    COUNT_TAKEN = 16,    /* Taken, ever. */
    COUNT_TOLD,          /* Told, ever. */
    COUNT_REFUSED,       /* Refused, as the queue was full. */
    COUNT_CALLBACKS,     /* Callbacks that were called. */
    COUNT_POLLS,         /* Times that somebody collected from outside. */
    COUNT_FAILED,        /* Requests that were failed on purpose. */
    COUNTERS,
};

struct settings {
    enum notification notification;
    int queue_length;
    /* Nobody collects unless accelerator_poll is called. */
    int external_polling;
    /* Make a new descriptor for each request, instead of one for each wait context. */
    int new_descriptors;
    /* Kilobytes of its stack that each job uses. */
    int stack;
    /* Of so many requests one is never computed; 0: none. */
    int lose;
};

extern struct settings settings;
extern int counters[COUNTERS];

/* Sets how it tells, by name: callback, descriptor, both or neither. */
int accelerator_notify(const char *name);

int accelerator_start(void);
void accelerator_stop(void);

/* Has work(argument) done elsewhere and pauses the job meanwhile; outside a job, does it at once. Returns what it
 * returned. Ends the process if the job goes on before the work is done, or its wait context is freed. */
int accelerate(int (*work)(void *), void *argument);

/* Tells of everything that has been computed; returns how much that was. */
int accelerator_poll(void);

/* Computes nothing while held. */
void accelerator_hold(int hold);

/* Fails the next requests, with status ERR. */
void accelerator_fail(int requests);

#endif
