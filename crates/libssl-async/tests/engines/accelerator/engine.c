/* An engine whose operations are asynchronous, for the tests. Its commands are named as those of QAT_Engine, where that
 * has them. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "accelerator.h"
#include "cipher.h"
#include "methods.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum {
    COMMAND_ENABLE_EXTERNAL_POLLING = ENGINE_CMD_BASE,
    COMMAND_POLL,
    COMMAND_IN_FLIGHT,
    COMMAND_NOTIFY,
    COMMAND_NEW_DESCRIPTORS,
    COMMAND_QUEUE,
    COMMAND_HOLD,
    COMMAND_FAIL,
    COMMAND_STACK,
    COMMAND_LOSE,
    COMMAND_REPORT,
    COMMAND_FAIL_INIT,
};

static const ENGINE_CMD_DEFN commands[] = {
    {COMMAND_ENABLE_EXTERNAL_POLLING, "ENABLE_EXTERNAL_POLLING", "Collect only when told to; before initialisation",
     ENGINE_CMD_FLAG_NO_INPUT},
    {COMMAND_POLL, "POLL", "Collect what is done; p: int for the result", ENGINE_CMD_FLAG_NO_INPUT},
    {COMMAND_IN_FLIGHT, "GET_NUM_REQUESTS_IN_FLIGHT", "i: an enum counter; p: int * for its address",
     ENGINE_CMD_FLAG_NUMERIC},
    {COMMAND_NOTIFY, "NOTIFY", "callback, descriptor, both or neither", ENGINE_CMD_FLAG_STRING},
    {COMMAND_NEW_DESCRIPTORS, "NEW_DESCRIPTORS", "1: a new descriptor for each request", ENGINE_CMD_FLAG_NUMERIC},
    {COMMAND_QUEUE, "QUEUE", "Requests in flight at most", ENGINE_CMD_FLAG_NUMERIC},
    {COMMAND_HOLD, "HOLD", "1: compute nothing until 0", ENGINE_CMD_FLAG_NUMERIC},
    {COMMAND_FAIL, "FAIL", "Fail so many requests", ENGINE_CMD_FLAG_NUMERIC},
    {COMMAND_STACK, "STACK", "Kilobytes of its stack that each job uses", ENGINE_CMD_FLAG_NUMERIC},
    {COMMAND_LOSE, "LOSE", "Never compute one of so many requests; 0: compute all", ENGINE_CMD_FLAG_NUMERIC},
    {COMMAND_REPORT, "REPORT", "Write the counters to a file of this name", ENGINE_CMD_FLAG_STRING},
    {COMMAND_FAIL_INIT, "FAIL_INIT", "Fail to initialise", ENGINE_CMD_FLAG_NO_INPUT},
    {0, NULL, NULL, 0},
};

static int initialised, fail_init;

static int initialise(ENGINE *engine) {
    (void)engine;
    initialised = !fail_init && accelerator_start();
    return initialised;
}

static int finish(ENGINE *engine) {
    (void)engine;
    accelerator_stop();
    initialised = 0;
    return 1;
}

static int destroy(ENGINE *engine) {
    (void)engine;
    methods_free();
    cipher_free();
    return 1;
}

/* In JSON, for those who cannot read them in memory. */
static int report(const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return 0;
    fprintf(file, "{\"inFlight\":%d,\"taken\":%d,\"told\":%d,\"refused\":%d,\"callbacks\":%d,\"polls\":%d,\"failed\":%d}",
            counters[COUNT_IN_FLIGHT], counters[COUNT_TAKEN], counters[COUNT_TOLD], counters[COUNT_REFUSED],
            counters[COUNT_CALLBACKS], counters[COUNT_POLLS], counters[COUNT_FAILED]);
    return fclose(file) == 0;
}

static int control(ENGINE *engine, int command, long number, void *pointer, void (*function)(void)) {
    (void)engine, (void)function;
    switch (command) {
    case COMMAND_ENABLE_EXTERNAL_POLLING:
        settings.external_polling = 1;
        return !initialised;
    case COMMAND_POLL:
        accelerator_poll();
        if (pointer != NULL)
            *(int *)pointer = 1;
        return 1;
    case COMMAND_IN_FLIGHT:
        if (pointer == NULL || number < COUNT_IN_FLIGHT || number >= COUNTERS)
            return 0;
        *(int **)pointer = &counters[number];
        return 1;
    case COMMAND_NOTIFY:
        return accelerator_notify(pointer);
    case COMMAND_NEW_DESCRIPTORS:
        settings.new_descriptors = number != 0;
        return 1;
    case COMMAND_QUEUE:
        settings.queue_length = (int)number;
        return number > 0 && number <= INT_MAX;
    case COMMAND_HOLD:
        accelerator_hold(number != 0);
        return 1;
    case COMMAND_FAIL:
        accelerator_fail((int)number);
        return 1;
    case COMMAND_STACK:
        settings.stack = (int)number;
        return 1;
    case COMMAND_LOSE:
        settings.lose = (int)number;
        return number >= 0 && number <= INT_MAX;
    case COMMAND_FAIL_INIT:
        fail_init = 1;
        return 1;
    case COMMAND_REPORT:
        return report(pointer);
    default:
        return 0;
    }
}

static int bind(ENGINE *engine, const char *id) {
    if (id != NULL && strcmp(id, "async-test") != 0)
        return 0;
    memset(&settings, 0, sizeof settings);
    memset(counters, 0, sizeof counters);
    settings.queue_length = 1024;
    fail_init = 0;
    accelerator_hold(0);
    accelerator_fail(0);
    return ENGINE_set_id(engine, "async-test") && ENGINE_set_name(engine, "asynchronous test engine") &&
           methods_bind(engine) && cipher_bind(engine) && ENGINE_set_init_function(engine, initialise) &&
           ENGINE_set_finish_function(engine, finish) && ENGINE_set_destroy_function(engine, destroy) &&
           ENGINE_set_ctrl_function(engine, control) && ENGINE_set_cmd_defns(engine, commands);
}

IMPLEMENT_DYNAMIC_CHECK_FN()
IMPLEMENT_DYNAMIC_BIND_FN(bind)
