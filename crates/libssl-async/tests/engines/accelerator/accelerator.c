#define _GNU_SOURCE
#include "accelerator.h"

#include <errno.h>
#include <openssl/async.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A request, on the stack of the job that made it: gone when the job goes on. */
struct request {
    int (*work)(void *);
    void *argument;
    int result;
    ASYNC_WAIT_CTX *context;
    int descriptor;
    atomic_int told;
    struct request *next;
};

struct list {
    struct request *first, **last;
};

struct settings settings;
int counters[COUNTERS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct list queued, computed, lost;
static pthread_t thread;
static int running, held, failures;

/* The key of our descriptors in wait contexts. */
static const char key;

static int take(struct request *request, int *fails);
static void prepare_descriptor(struct request *request);
static void reset_descriptor(struct request *request);
static void *compute(void *unused);
static void tell(struct request *request);

static void count(enum counter which, int change) { __atomic_add_fetch(&counters[which], change, __ATOMIC_SEQ_CST); }

static void die(const char *why) {
    fprintf(stderr, "test engine: %s\n", why);
    abort();
}

static void append(struct list *list, struct request *request) {
    request->next = NULL;
    *list->last = request;
    list->last = &request->next;
}

static struct request *take_first(struct list *list) {
    struct request *request = list->first;
    if (request != NULL && (list->first = request->next) == NULL)
        list->last = &list->first;
    return request;
}

static void empty(struct list *list) {
    list->first = NULL;
    list->last = &list->first;
}

/* Writes to every page, from the top down. */
static int use_stack(int kilobytes) {
    volatile char frame[1024];
    frame[0] = (char)kilobytes;
    return kilobytes > 1 ? use_stack(kilobytes - 1) + frame[0] : frame[0];
}

int accelerate(int (*work)(void *), void *argument) {
    ASYNC_JOB *job = ASYNC_get_current_job();
    struct request request = {.work = work, .argument = argument, .descriptor = OSSL_BAD_ASYNC_FD};
    int fails = 0;
    if (job == NULL)
        return work(argument);
    if (settings.stack > 0)
        use_stack(settings.stack);
    request.context = ASYNC_get_wait_ctx(job);
    while (!take(&request, &fails)) {
        /* As real accelerators do it: nobody calls back. */
        ASYNC_pause_job();
        if (fails)
            return 0;
    }
    do {
        ASYNC_pause_job();
    } while (settings.notification == NOTIFY_NEITHER && !request.told);
    if (!request.told)
        die("a job was resumed before its request was done");
    reset_descriptor(&request);
    return request.result;
}

/* Puts a request into the queue, if there is room. The status is set before anybody can complete the request. */
static int take(struct request *request, int *fails) {
    int taken = 0;
    prepare_descriptor(request);
    pthread_mutex_lock(&lock);
    if (failures > 0) {
        failures--;
        *fails = 1;
        count(COUNT_FAILED, 1);
        ASYNC_WAIT_CTX_set_status(request->context, ASYNC_STATUS_ERR);
    } else if (counters[COUNT_IN_FLIGHT] >= settings.queue_length) {
        count(COUNT_REFUSED, 1);
        ASYNC_WAIT_CTX_set_status(request->context, ASYNC_STATUS_EAGAIN);
    } else {
        int calls_back = settings.notification == NOTIFY_CALLBACK || settings.notification == NOTIFY_BOTH;
        ASYNC_WAIT_CTX_set_status(request->context, calls_back ? ASYNC_STATUS_OK : ASYNC_STATUS_UNSUPPORTED);
        count(COUNT_IN_FLIGHT, 1);
        count(COUNT_TAKEN, 1);
        append(settings.lose > 0 && counters[COUNT_TAKEN] % settings.lose == 0 ? &lost : &queued, request);
        pthread_cond_broadcast(&changed);
        taken = 1;
    }
    pthread_mutex_unlock(&lock);
    return taken;
}

/* Called by the wait context when it is freed. */
static void forget_descriptor(ASYNC_WAIT_CTX *context, const void *its_key, OSSL_ASYNC_FD descriptor, void *data) {
    struct request *request;
    (void)its_key, (void)data;
    pthread_mutex_lock(&lock);
    for (request = queued.first; request != NULL; request = request->next)
        if (request->context == context)
            die("a connection was freed while its request was queued");
    for (request = computed.first; request != NULL; request = request->next)
        if (request->context == context)
            die("a connection was freed while its request was not told");
    for (request = lost.first; request != NULL; request = request->next)
        if (request->context == context)
            die("a connection was freed while its request was lost");
    pthread_mutex_unlock(&lock);
    if (descriptor != OSSL_BAD_ASYNC_FD)
        close(descriptor);
}

/* Without a descriptor to tell, sets none, to learn when the wait context is freed. */
static void prepare_descriptor(struct request *request) {
    int tells = settings.notification == NOTIFY_DESCRIPTOR || settings.notification == NOTIFY_BOTH;
    void *data;
    if (ASYNC_WAIT_CTX_get_fd(request->context, &key, &request->descriptor, &data) && (request->descriptor >= 0) == tells)
        return;
    if (tells && (request->descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
        die("no descriptor");
    if (!ASYNC_WAIT_CTX_set_wait_fd(request->context, &key, request->descriptor, NULL, forget_descriptor))
        die("no room for a descriptor");
}

static void reset_descriptor(struct request *request) {
    eventfd_t value;
    if (request->descriptor == OSSL_BAD_ASYNC_FD)
        return;
    if (eventfd_read(request->descriptor, &value) != 0 && errno != EAGAIN)
        die("our descriptor was closed");
    if (settings.new_descriptors) {
        ASYNC_WAIT_CTX_clear_fd(request->context, &key);
        close(request->descriptor);
    }
}

int accelerator_notify(const char *name) {
    static const char *const names[] = {"callback", "descriptor", "both", "neither"};
    int which;
    for (which = 0; which < 4; which++)
        if (strcmp(name, names[which]) == 0) {
            settings.notification = which;
            return 1;
        }
    return 0;
}

int accelerator_start(void) {
    empty(&queued);
    empty(&computed);
    empty(&lost);
    running = 1;
    return pthread_create(&thread, NULL, compute, NULL) == 0;
}

void accelerator_stop(void) {
    pthread_mutex_lock(&lock);
    running = 0;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
}

static void *compute(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    while (running) {
        struct request *request = held ? NULL : take_first(&queued);
        if (request == NULL) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        pthread_mutex_unlock(&lock);
        request->result = request->work(request->argument);
        pthread_mutex_lock(&lock);
        append(&computed, request);
        if (!settings.external_polling) {
            pthread_mutex_unlock(&lock);
            accelerator_poll();
            pthread_mutex_lock(&lock);
        }
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

int accelerator_poll(void) {
    int told = 0;
    if (settings.external_polling)
        count(COUNT_POLLS, 1);
    for (;; told++) {
        struct request *request;
        pthread_mutex_lock(&lock);
        request = take_first(&computed);
        pthread_mutex_unlock(&lock);
        if (request == NULL)
            return told;
        tell(request);
    }
}

/* The request is gone as soon as it is told. */
static void tell(struct request *request) {
    int (*callback)(void *) = NULL;
    void *argument = NULL;
    int descriptor = request->descriptor;
    int calls_back = settings.notification == NOTIFY_CALLBACK || settings.notification == NOTIFY_BOTH;
    if (calls_back && !ASYNC_WAIT_CTX_get_callback(request->context, &callback, &argument))
        die("there is no callback");
    count(COUNT_IN_FLIGHT, -1);
    count(COUNT_TOLD, 1);
    request->told = 1;
    if (descriptor != OSSL_BAD_ASYNC_FD && eventfd_write(descriptor, 1) != 0)
        die("our descriptor was closed");
    if (calls_back) {
        count(COUNT_CALLBACKS, 1);
        callback(argument);
    }
}

void accelerator_hold(int hold) {
    pthread_mutex_lock(&lock);
    held = hold;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void accelerator_fail(int requests) {
    pthread_mutex_lock(&lock);
    failures = requests;
    pthread_mutex_unlock(&lock);
}
